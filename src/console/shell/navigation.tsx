import { type Place, to } from '../lib/router.js';
import { Icon, type IconName } from '../parts/icons.js';

interface Destination {
  readonly path: readonly [IconName];
  readonly name: string;
  /** After `g`. */
  readonly letter: string;
  /** On a phone it is found by the search alone: there is no room for more. */
  readonly wide?: boolean;
}

export const DESTINATIONS: readonly Destination[] = [
  { path: ['alerts'], name: 'Alerts', letter: 'a' },
  { path: ['patterns'], name: 'Patterns', letter: 'p' },
  { path: ['revisions'], name: 'Revisions', letter: 'r' },
  { path: ['backtests'], name: 'Back-tests', letter: 'b' },
  { path: ['explain'], name: 'Why not?', letter: 'e' },
  { path: ['lists'], name: 'Lists', letter: 'l', wide: true },
  { path: ['system'], name: 'System', letter: 's' },
];

export function Navigation({ place }: { readonly place: Place }) {
  const at = place.path[0] ?? 'alerts';
  return (
    <nav class="side" aria-label="Pages">
      {DESTINATIONS.map(({ path, name, letter, wide }) => (
        <a
          key={name}
          class={wide ? 'wide' : ''}
          href={to(path)}
          aria-current={at === path[0] ? 'page' : undefined}
          title={`g ${letter}`}
        >
          <Icon name={path[0]} /> <span class="cut">{name}</span>
        </a>
      ))}
      <div class="foot">
        <a href="docs" class="linked">
          API
        </a>{' '}
        ·{' '}
        <a href="metrics" class="linked">
          Metrics
        </a>
        <br />
        <kbd>?</kbd> shortcuts
      </div>
    </nav>
  );
}
