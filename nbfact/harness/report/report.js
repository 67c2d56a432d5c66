// The script of the report: selectors choose figures and rows; charts are drawn when they
// come near the window, and again when the theme changes.

const { project, specs, figures } = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  float32: "M8 3a5 5 0 1 0 .01 0z",
  float64: "M3.5 3.5h9v9h-9z",
  complex64: "M8 3l5.5 10h-11z",
  complex128: "M8 2l5 6-5 6-5-6z",
};
// Kinds of charts with an axis whose order is that of the rows.
const ORDERED = new Set(["timeline", "seconds", "steps", "roof"]);
const drawn = new Map(); // from the element of a figure to the promise of its view

// Replace names such as "var(--ink)" in a specification by the colours of the theme.
function themed(value) {
  if (typeof value === "string") {
    const name = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
    return name ? css(name) : value;
  }
  if (Array.isArray(value)) return value.map(themed);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v)]));
  }
  return value;
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function config() {
  const [ink, muted, line] = ["--ink", "--muted", "--line"].map(css);
  const font = css("--sans");
  return {
    background: "transparent",
    font,
    view: { stroke: null },
    axis: {
      labelColor: muted, titleColor: muted, gridColor: line, domainColor: line,
      tickColor: line, labelFontSize: 11, titleFontSize: 11.5, titleFontWeight: 500,
      gridOpacity: 0.7, labelFont: font, titleFont: font,
    },
    text: { color: ink, font },
  };
}

async function draw(figure) {
  const { kind, height = specs[kind].height, rows: all } = figures[figure.id];
  const only = figure.closest("section").dataset.only;
  const rows = all.map((row) => only && name(row) !== only
    ? { ...row, colour: "var(--faint)" } : row);
  if (only && !ORDERED.has(kind)) { // draw the chosen one on top
    rows.sort((a, b) => (name(a) === only) - (name(b) === only));
  }
  const spec = themed({
    ...specs[kind],
    height,
    datasets: { ...specs[kind].datasets, rows },
  });
  const options = { mode: "vega-lite", actions: false, renderer: "svg", config: config(),
    tooltip: { theme: "custom" } };
  const view = vegaEmbed(figure.querySelector(".chart"), spec, options);
  drawn.get(figure)?.then((old) => old.finalize());
  drawn.set(figure, view);
  await view;
}

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting && !drawn.has(target)) draw(target);
  }
}, { rootMargin: "600px" });

// Show what the selectors of a section choose; disable choices that select nothing.
function choose(section) {
  const selects = [...section.querySelectorAll(".selects select")];
  const items = [...section.querySelectorAll("figure, tr[data-machine], tr[data-family]")];
  let left = items;
  const fits = (item, select) =>
    !select.value || !(select.name in item.dataset) ||
    item.dataset[select.name] === select.value;
  for (const select of selects) {
    const values = new Set(left.map((item) => item.dataset[select.name]));
    for (const option of select.options) {
      option.disabled = option.value !== "" && !values.has(option.value);
    }
    if (select.selectedOptions[0]?.disabled) {
      select.value = [...select.options].find((o) => o.value && !o.disabled)?.value ?? "";
    }
    left = left.filter((item) => fits(item, select));
  }
  const shown = new Set(left);
  for (const item of items) item.hidden = !shown.has(item);
  legend(section, left.filter((item) => item.matches("figure")));
}

// List the colours and shapes of the figures in view.
function legend(section, visible) {
  const list = section.querySelector(".legend");
  if (!list) return;
  const names = new Map();
  const dtypes = new Set();
  for (const figure of visible) {
    for (const row of figures[figure.id].rows) {
      names.set(name(row), row.colour);
      if (row.dtype && !figure.matches(".convergence")) dtypes.add(row.dtype);
    }
  }
  const { only } = section.dataset;
  if (only && !names.has(only)) {
    delete section.dataset.only;
    redraw(section);
  }
  list.replaceChildren(
    ...[...names].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
      .map(([name, colour]) => highlighter(section, name, colour)),
    ...[...dtypes].filter(() => dtypes.size > 1).sort().map((dtype) =>
      entry(dtype, SHAPES[dtype] ?? SHAPES.float32, "var(--muted)")),
  );
}

// Return the name that a colour stands for.
function name(row) {
  return row.method ?? row.machine;
}

// Return an entry of the legend that, when pressed, makes all other colours faint.
function highlighter(section, name, colour) {
  const item = entry("", SHAPES.float32, colour);
  const button = document.createElement("button");
  button.type = "button";
  button.append(...item.childNodes, name);
  button.setAttribute("aria-pressed", section.dataset.only === name);
  button.addEventListener("click", () => {
    const pressed = section.dataset.only === name;
    if (pressed) delete section.dataset.only;
    else section.dataset.only = name;
    for (const other of section.querySelectorAll(".legend button")) {
      other.setAttribute("aria-pressed", other === button && !pressed);
    }
    redraw(section);
  });
  item.replaceChildren(button);
  return item;
}

function redraw(element) {
  for (const figure of element.querySelectorAll("figure")) {
    if (drawn.has(figure)) draw(figure);
  }
}

// Sort the project's own implementations first and the dense product last.
function rank(name) {
  return name.startsWith(project) ? 0 : name.startsWith("dense") ? 2 : 1;
}

function entry(name, path, colour) {
  const item = document.createElement("li");
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("viewBox", "0 0 16 16");
  icon.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  shape.style.fill = colour;
  icon.append(shape);
  item.append(icon, name);
  return item;
}

// Make the table of the rows of a chart when it is opened.
function tabulate(details) {
  if (!details.open || details.querySelector("table")) return;
  const { columns, rows } = figures[details.closest("figure").id];
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const [, title] of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.filter((row) => !row.crossing)) {
    const line = body.insertRow();
    columns.forEach(([key], index) => {
      const cell = document.createElement(index ? "td" : "th");
      if (!index) cell.scope = "row";
      cell.textContent = plain(row[key]);
      line.append(cell);
    });
  }
  const box = document.createElement("div");
  box.className = "scroll";
  box.tabIndex = 0;
  box.role = "region";
  box.ariaLabel = "Data of the chart";
  box.append(table);
  details.append(box);
}

function plain(value) {
  if (value === null || value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}

for (const section of document.querySelectorAll("main > section")) {
  section.addEventListener("change", () => choose(section));
  section.querySelector(".selects")?.addEventListener("submit", (e) => e.preventDefault());
  choose(section);
}
for (const figure of document.querySelectorAll("main figure")) near.observe(figure);
for (const details of document.querySelectorAll("details.data")) {
  details.addEventListener("toggle", () => tabulate(details));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  redraw(document);
});
addEventListener("beforeprint", () => {
  for (const figure of document.querySelectorAll("main figure:not([hidden])")) {
    if (!drawn.has(figure)) draw(figure);
  }
});
