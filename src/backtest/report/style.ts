/** The style of a report. Colours follow the reader's choice of light or dark. */
export const STYLE = `
:root{--ink:#1c2330;--soft:#5d6778;--line:#dfe3ea;--page:#fff;--tile:#f5f7fa;--a:#2563c9;--b:#d9622b;--c:#2a9461;--d:#8b56c4;--good:#2a9461;--bad:#d9a52b}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ef;--soft:#9aa5b5;--line:#323a47;--page:#14181f;--tile:#1d232c;--a:#6ea1f5;--b:#f0935f;--c:#5fc796;--d:#b78ee6;--good:#5fc796;--bad:#e8c15c}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1160px;margin:0 auto;padding:28px 20px 60px}h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:38px 0 10px}h3{font-size:15px;margin:22px 0 6px}
p{margin:6px 0;color:var(--soft);max-width:80ch}.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:18px 0}
.tile{background:var(--tile);border-radius:8px;padding:12px 14px}.tile b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}th{text-align:right;font-weight:600;color:var(--soft);padding:5px 10px;border-bottom:2px solid var(--line);white-space:nowrap}
td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);white-space:nowrap}th:first-child,td:first-child{text-align:left;padding-left:0}
.dense th{white-space:normal;vertical-align:bottom;padding:5px 7px}.dense td{padding:5px 7px}.dense .bar{width:60px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:18px}figure{margin:8px 0;max-width:720px}svg{width:100%;height:auto;font:11.5px system-ui,sans-serif}
svg text{fill:var(--soft);paint-order:stroke;stroke:var(--page);stroke-width:3px}path{fill:none;stroke-width:2}.axis{stroke:var(--line);stroke-width:1}.limit{stroke:var(--b);stroke-dasharray:5 4}
path.s0{stroke:var(--a)}path.s1{stroke:var(--b)}path.s2{stroke:var(--c)}path.s3{stroke:var(--d)}circle{fill:var(--b)}circle.s0{fill:var(--a)}circle.s1{fill:var(--b)}circle.s2{fill:var(--c)}circle.s3{fill:var(--d)}
rect.right{fill:var(--good)}rect.wrong{fill:var(--bad)}rect.all{fill:var(--a)}.legend{display:flex;gap:16px;font-size:13px}.legend span::before{content:"";display:inline-block;width:12px;height:3px;margin:0 6px 4px 0;background:var(--a)}
.legend .s1::before{background:var(--b)}.legend .right::before,.legend .wrong::before{height:10px;background:var(--good)}.legend .wrong::before{background:var(--bad)}.legend .s2::before{background:var(--c)}.legend .s3::before{background:var(--d)}
.bar{display:inline-block;width:90px;height:8px;background:var(--line);border-radius:4px;margin-right:8px;overflow:hidden}.bar i{display:block;height:100%;background:var(--a)}
details{border:1px solid var(--line);border-radius:8px;padding:8px 14px;margin:8px 0}summary{cursor:pointer}.tag{display:inline-block;border-radius:4px;padding:0 7px;margin-right:8px;font-size:12.5px;background:var(--good);color:var(--page)}.tag.wrong{background:var(--bad)}
code{font:12.5px ui-monospace,monospace;overflow-wrap:anywhere}svg.time{max-width:700px}`;
