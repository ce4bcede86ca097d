(d=>{
if(d.pz)return
d.pz=1
let src=d.currentScript.src.replace(/-\w+\.js$/,"?"),at,
run=again=>{
let w=d.createTreeWalker(d,128),all=[],here=location.pathname+location.search,n,s
while(n=w.nextNode())
if(/^pz /.test(n.data))s=n
else if(s&&n.data=="/pz"){if(again||!s.pz)all.push([s,n]);s=0}
if(d.prerendering||!all[0])return
let fill=told=>{for(let[s,end]of all){
let h=told[s.data.slice(3)],was=s.pz,r=d.createRange()
if(was.h!=h){
r.setStartAfter(s)
r.setEndBefore(end)
let f=h==null?was.own.cloneNode(1):r.createContextualFragment(h),own=r.extractContents()
was.own||=own
was.h=h
r.insertNode(f)}}
d.dispatchEvent(new Event("personalize"))}
fetch(src+new URLSearchParams([["p",here],["r",d.referrer],[at==here?"again":"view",1],...all.map(([s])=>(s.pz||={},["s",s.data.slice(3)]))])).then(r=>r.json()).then(fill,()=>fill({}))
at=here}
new MutationObserver(()=>run()).observe(d,{childList:1,subtree:1})
d.addEventListener("prerenderingchange",run)
addEventListener("pageshow",e=>e.persisted&&run(1))
run()
})(document)
