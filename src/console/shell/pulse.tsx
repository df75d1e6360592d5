import { useRef } from 'preact/hooks';
import * as api from '../api/calls.js';
import { compact } from '../lib/format.js';
import { useResource } from '../lib/hooks.js';
import { to } from '../lib/router.js';
import { useStore } from '../lib/store.js';
import { Icon } from '../parts/icons.js';
import { isDark, theme, toggleTheme } from './theme.js';

const EVERY_MS = 3_000;

/** How the service is, in one line: is it there, how fast does it read, how far is it behind. */
export function Pulse() {
  useStore(theme);
  const { data, error } = useResource((signal) => api.status(signal), [], EVERY_MS);
  const before = useRef({ records: 0, at: 0, rate: null as number | null });
  const detector = data?.detector ?? null;
  if (detector !== null && detector.recordsIn !== before.current.records) {
    const { records, at } = before.current;
    const seconds = (performance.now() - at) / 1000;
    const rate = at === 0 || detector.recordsIn < records ? null : (detector.recordsIn - records) / seconds;
    before.current = { records: detector.recordsIn, at: performance.now(), rate };
  }
  const lag = detector?.partitions.reduce((sum, partition) => sum + partition.lag, 0) ?? 0;
  const { rate } = before.current;
  const [tone, word] =
    error !== null
      ? ['critical', 'no connection']
      : detector === null
        ? ['', data === null ? 'connecting' : 'starting']
        : [detector.phase === 'running' ? 'good' : 'critical', detector.phase];
  return (
    <div class="pulse">
      <a class="row soft" href={to(['system'])} title={detector?.trouble ?? 'State of the service'}>
        <i class={`dot ${tone}`} /> <span class={tone === 'good' ? 'more' : ''}>{word}</span>
      </a>
      {rate !== null && error === null && (
        <>
          <span class="number more">{compact(Math.round(rate))} records/s</span>
          <span class="number more">lag {compact(lag)}</span>
        </>
      )}
      <button type="button" class="button plain square" onClick={toggleTheme} title="Dark or light (t)">
        <Icon name={isDark() ? 'sun' : 'moon'} />
        <span class="unseen">{isDark() ? 'Light theme' : 'Dark theme'}</span>
      </button>
    </div>
  );
}
