import { useEffect, useRef, useState } from 'preact/hooks';
import { onUnauthorized } from '../api/client.js';
import { go, to, usePlace } from '../lib/router.js';
import { useShortcuts } from '../lib/shortcuts.js';
import { Icon } from '../parts/icons.js';
import { Toasts } from '../parts/toasts.js';
import { Account, signOut } from './account.js';
import { CommandPalette } from './command-palette.js';
import { DESTINATIONS, Navigation } from './navigation.js';
import { Pulse } from './pulse.js';
import { Routed } from './routed.js';
import { ShortcutHelp } from './shortcut-help.js';
import { SignIn } from './sign-in.js';
import { toggleTheme } from './theme.js';

type Opened = 'palette' | 'help' | null;

export function App() {
  const place = usePlace();
  const [opened, setOpened] = useState<Opened>(null);
  const [asked, setAsked] = useState(false);
  const [session, setSession] = useState(0);
  const main = useRef<HTMLElement>(null);
  useEffect(() => onUnauthorized(() => setAsked(true)), []);
  const at = place.path.join('/');
  // A new place is read from its top.
  useEffect(() => main.current?.scrollTo(0, 0), [at]);
  const shortcuts = {
    'mod+k': () => setOpened(opened === 'palette' ? null : 'palette'),
    '/': () => setOpened('palette'),
    '?': () => setOpened('help'),
    t: toggleTheme,
    ...Object.fromEntries(DESTINATIONS.map(({ letter, path }) => [`g ${letter}`, () => go(to(path))])),
  };
  useShortcuts(shortcuts);
  const leave = async () => {
    // The page of the provider comes in the place of this one, where it has one.
    await signOut();
    setAsked(true);
  };
  if (asked) {
    const again = () => {
      setAsked(false);
      setSession((n) => n + 1);
    };
    return <SignIn onDone={again} />;
  }
  return (
    <div class="shell" key={session}>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header class="banner">
        <a class="brand" href={to(['alerts'])}>
          <img src="./icon.svg" alt="" /> stakeout
        </a>
        <div class="top">
          <button type="button" class="find" onClick={() => setOpened('palette')}>
            <Icon name="search" />
            <span class="grow cut">Find an alert, key, pattern or command</span>
            <kbd>Ctrl K</kbd>
          </button>
          <Pulse />
          <Account onSignOut={() => void leave()} />
        </div>
      </header>
      <Navigation place={place} />
      <main class="main" id="main" tabIndex={-1} ref={main}>
        <Routed place={place} />
      </main>
      {opened === 'palette' && <CommandPalette onClose={() => setOpened(null)} />}
      {opened === 'help' && <ShortcutHelp onClose={() => setOpened(null)} />}
      <Toasts />
    </div>
  );
}
