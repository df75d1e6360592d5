/** The page at `/`: live alerts and links, one document without a build. What comes from alerts is set as text, never as HTML. */

export const pagePolicy =
  "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent) }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline }
h1 { font-size: 1.3rem; margin: 0 }
nav { display: flex; gap: 1rem }
#facts { opacity: .75; margin: .75rem 0; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums }
.severity { border-radius: 4px; padding: 0 .4rem; white-space: nowrap; color: #fff; background: #5b6470; font-size: .85em }
.high { background: #b3541e } .critical { background: #b3261e } .medium { background: #8a6d00 }
`;

const script = `
const rows = document.querySelector('tbody'), facts = document.querySelector('#facts'), shown = 200;
const seen = new Set();
function cell(row, text, name) {
  const td = row.insertCell();
  td.textContent = text;
  if (name) td.className = name;
  return td;
}
function add(alert, atEnd) {
  if (seen.has(alert.id)) return;
  seen.add(alert.id);
  const row = rows.insertRow(atEnd ? -1 : 0);
  cell(row, new Date(alert.detectedAt).toLocaleString(), 'time');
  const badge = document.createElement('span');
  badge.className = 'severity ' + alert.severity;
  badge.textContent = alert.severity + ' ' + alert.score;
  cell(row, '').append(badge);
  cell(row, alert.key);
  const link = document.createElement('a');
  link.href = 'alerts/' + encodeURIComponent(alert.id);
  link.textContent = alert.title;
  cell(row, '').append(link);
  cell(row, alert.message);
  while (rows.rows.length > shown) rows.deleteRow(-1);
  document.querySelector('#none').hidden = true;
}
async function status() {
  try {
    const { detector, patterns } = await (await fetch('status')).json();
    facts.textContent = detector
      ? [detector.phase + (detector.trouble ? ' (' + detector.trouble + ')' : ''), patterns + ' patterns',
         detector.recordsIn.toLocaleString() + ' records', detector.alerts.toLocaleString() + (detector.alerts === 1 ? ' alert' : ' alerts') + ' since start'].join(' · ')
      : 'starting';
  } catch { facts.textContent = 'no connection'; }
  setTimeout(status, 2000);
}
status();
fetch('alerts?limit=100').then((answer) => answer.json()).then(({ alerts }) => {
  for (const alert of alerts) add(alert, true);
});
new EventSource('alerts/live').addEventListener('alert', (event) => add(JSON.parse(event.data), false));
`;

export const pageHtml = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>stakeout</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<header>
<h1>stakeout</h1>
<nav><a href="docs">API</a> <a href="patterns">Patterns</a> <a href="status">Status</a> <a href="health/ready">Health</a> <a href="metrics">Metrics</a></nav>
</header>
<p id="facts" role="status">…</p>
<table>
<thead><tr><th>Event time<th>Severity<th>Key<th>Alert<th>What happened</thead>
<tbody aria-live="polite"></tbody>
</table>
<p id="none">No alerts yet.</p>
<script>${script}</script>
</html>
`;
