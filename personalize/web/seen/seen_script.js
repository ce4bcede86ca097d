(d=>{
let s=d.currentScript,e="text"in s.dataset?0:s.previousElementSibling,v=d.pzView,u=location.href,t,
wait=()=>{t=setTimeout(tell,1000)},
tell=()=>{if(d.hidden)return wait()
o.disconnect()
navigator.sendBeacon(s.src.replace(/-\w+\.js$/,""),new URLSearchParams({view:v.id,slot:s.dataset.seen}))},
o=new IntersectionObserver(all=>{let{intersectionRatio:share,intersectionRect:r}=all.pop()
clearTimeout(t)
if(share>=.5||r.height>=innerHeight/2)wait()},{threshold:[0,.1,.2,.3,.4,.5]})
if(v?.u!=u)v=d.pzView={u,id:[...crypto.getRandomValues(new Uint8Array(16))].map(b=>b.toString(16).padStart(2,0)).join("")}
o.observe(e||s.parentElement)
})(document)
