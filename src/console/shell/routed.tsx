import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Place, to } from '../lib/router.js';
import { AlertPage } from '../pages/alert.js';
import { AlertsPage } from '../pages/alerts.js';
import { Empty, Trouble, Waiting } from '../parts/basics.js';

type PageOf = ComponentType<{ readonly place: Place }>;

/** Pages that are not opened first come when they are asked for. */
const LATER: Readonly<Record<string, () => Promise<{ readonly default: PageOf }>>> = {
  patterns: () => import('../pages/patterns.js'),
  revisions: () => import('../pages/revisions.js'),
  backtests: () => import('../pages/backtests.js'),
  lists: () => import('../pages/lists.js'),
  snoozes: () => import('../pages/snoozes.js'),
  explain: () => import('../pages/explain.js'),
  system: () => import('../pages/system.js'),
};

export function Routed({ place }: { readonly place: Place }) {
  const [name = 'alerts', id] = place.path;
  if (name === 'alerts') return id === undefined ? <AlertsPage place={place} /> : <AlertPage key={id} id={id} />;
  const load = LATER[name];
  if (load !== undefined) return <Later key={name} load={load} place={place} />;
  return (
    <div class="page">
      <h1>There is no such page</h1>
      <Empty title="Perhaps the address was cut short">
        <a class="button" href={to(['alerts'])}>
          To the alerts
        </a>
      </Empty>
    </div>
  );
}

function Later({ load, place }: { readonly load: () => Promise<{ readonly default: PageOf }>; readonly place: Place }) {
  const [page, setPage] = useState<{ Page: PageOf } | Error | null>(null);
  useEffect(() => {
    load().then(
      ({ default: Page }) => setPage({ Page }),
      () =>
        setPage(new Error('This page could not be loaded. If stakeout was updated meanwhile, load the console anew.')),
    );
  }, [load]);
  if (page === null) return <Waiting />;
  if (page instanceof Error)
    return (
      <div class="page">
        <Trouble error={page} again={() => location.reload()} />
      </div>
    );
  return <page.Page place={place} />;
}
