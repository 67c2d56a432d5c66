import sys,numpy as np
from pyfaust.fact import palm4msa_mhtp
from pyfaust.factparams import MHTPParams, ParamsPalm4MSA, StoppingCriterion
from pyfaust.proj import skperm
from nbfact.studies.patterns import exploration as ex, instances as ins
mode=sys.argv[1]
A,_=ins.Instance('Hadamard, permuted',16,1000).matrices()
A=np.asfortranarray(A)
rng=np.random.default_rng(0)
f=[np.asfortranarray(rng.standard_normal((16,16))) for _ in range(2)]
kw={}
if 'i' in mode: kw['init_facts']=f
if 'r' in mode: kw['is_update_way_R2L']=True
P=ParamsPalm4MSA([skperm((16,16),8),skperm((16,16),2)],StoppingCriterion(300),**kw)
F=palm4msa_mhtp(A,P,MHTPParams(num_its=50,palm4msa_period=50))
print(mode,np.linalg.norm(F.toarray()-A)/np.linalg.norm(A))
