import * as api from '../api/calls.js';
import { useResource, useTitle } from '../lib/hooks.js';
import type { Place } from '../lib/router.js';
import { Loaded } from '../parts/basics.js';
import { PatternList } from '../pattern/pattern-list.js';
import { PatternPage } from '../pattern/pattern-page.js';

/** The list, or one pattern. */
export default function PatternsPage({ place }: { readonly place: Place }) {
  const [, id, tab] = place.path;
  return id === undefined ? <ListPage /> : <PatternPage key={id} id={id} tab={tab ?? 'rule'} place={place} />;
}

function ListPage() {
  useTitle('Patterns');
  const all = useResource(
    async (signal) => {
      const [patterns, rules, status] = await Promise.all([
        api.patterns(signal),
        api.rules(signal),
        api.status(signal),
      ]);
      return { patterns, rules, status };
    },
    [],
    5_000,
  );
  return (
    <div class="page">
      {all.data === null && <h1>Patterns</h1>}
      <Loaded of={all}>{(data) => <PatternList {...data} />}</Loaded>
    </div>
  );
}
