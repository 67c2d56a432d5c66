"""Study of products with Kronecker-sparse factors whose blocks are large."""
