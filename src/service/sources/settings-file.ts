import { stat } from 'node:fs/promises';
import { pause } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { formatSettingsError, loadSettings, type Settings } from '../../runtime/settings/index.js';
import type { Tree } from '../../runtime/settings/tree.js';
import { digestOf, type SourceKind } from '../../runtime/sources/source-chain.js';
import type { BackgroundPart } from '../parts.js';
import { withSchema } from './effective.js';
import type { SourceControl } from './source-control.js';

export interface SettingsFileOptions {
  readonly file: string;
  /** As the file had them at the start. */
  readonly settings: Settings;
  readonly control: SourceControl;
  readonly clock: Clock;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

const LOOK_MS = 1000;
const BY = { author: 'settings file', message: 'the settings file was changed' };
const SECTIONS: readonly (readonly [SourceKind, 'streams' | 'sinks'])[] = [
  ['stream', 'streams'],
  ['sink', 'sinks'],
];

/**
 * Publishes what a settings file says of streams and sinks, whenever that is another than it said before. A file that does not hold is
 * told of, and nothing changes.
 */
export function settingsFile({ file, settings, control, clock, report, warn }: SettingsFileOptions): BackgroundPart {
  const stopping = new AbortController();
  let known = settings.written;
  let stamp = '';
  let running: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const { mtimeMs, size } = await stat(file);
    const now = `${mtimeMs} ${size}`;
    if (now === stamp) return;
    stamp = now;
    const result = loadSettings({ file, env: process.env });
    if ('errors' in result) throw new Error(result.errors.map(formatSettingsError).join('\n'));
    const { written } = result.settings;
    for (const [kind, section] of SECTIONS) await publish(kind, known[section], written[section]);
    known = written;
  }

  async function publish(kind: SourceKind, before: Sections, after: Sections): Promise<void> {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const next = after[name] === undefined ? null : withSchema(after[name]);
      const file = digestOf(next);
      const last = control.fileDigest(kind, name);
      // Where it never came from a file, that which the process was started with is its own.
      const was = last ?? digestOf(before[name] === undefined ? null : schemaOf(before[name]));
      if (file === was) continue;
      if (next !== null) await control.put(kind, name, next, undefined, { ...BY, file });
      else if (control.get(kind, name) !== null) await control.remove(kind, name, undefined, { ...BY, file });
      report(`the ${kind} ${name} is as the settings file has it now`);
    }
  }

  /** The schema that it had when it was read last. */
  const schemas = new Map<string, Tree>();
  function schemaOf(definition: Tree): Tree {
    const key = JSON.stringify(definition);
    const known = schemas.get(key) ?? withSchema(definition);
    schemas.set(key, known);
    return known;
  }

  async function run(): Promise<void> {
    for (const [, section] of SECTIONS) for (const definition of Object.values(known[section])) schemaOf(definition);
    while (!stopping.signal.aborted) {
      await look().catch((error: Error) => {
        if (!stopping.signal.aborted)
          warn('the settings file does not hold for streams and sinks; they stay as they are', error);
      });
      await pause(clock, LOOK_MS, stopping.signal);
    }
  }

  return {
    name: 'settings file',
    async start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

type Sections = Readonly<Record<string, Tree>>;
