import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDiagnostic, type LoadedRules, withTestsBeside } from '../../rules/index.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { BackgroundPart } from '../parts.js';
import { type RuleControl, RulesRefusedError } from './rule-control.js';

export interface RulesFolderOptions {
  readonly folder: string;
  readonly control: RuleControl;
  readonly clock: Clock;
  readonly load: () => Promise<LoadedRules>;
  readonly warn: (text: string, trouble: Error) => void;
}

/**
 * The folder is looked at this often, and taken when it was the same twice: an editor writes a file in several steps, and a checkout
 * writes many. Notices of the operating system do not come from every file system, nor through the links of a Kubernetes volume.
 */
const LOOK_MS = 500;

/** Publishes what is in a folder whenever that has changed and holds as a whole. */
export function rulesFolder({ folder, control, clock, load, warn }: RulesFolderOptions): BackgroundPart {
  let taken = '';
  let seen = '';
  let cancel: () => void = () => undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;
  const publish = async (): Promise<void> => {
    try {
      const { rules, texts, diagnostics } = await load();
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      if (errors.length > 0) throw new RulesRefusedError(errors);
      const files = await withTestsBeside(rules.map(({ source }) => ({ file: source, text: texts.get(source)! })));
      await control.apply(files, { author: 'folder', message: `${folder} has changed` });
    } catch (error) {
      const why =
        error instanceof RulesRefusedError
          ? new Error(error.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'))
          : (error as Error);
      warn(`${folder} has changed and was not taken; the rules until now go on`, why);
    }
  };
  const look = async (): Promise<void> => {
    const now = await stampOf(folder);
    if (now === seen && now !== taken) {
      taken = now;
      await publish();
    }
    seen = now;
  };
  const lookAgain = (): void => {
    cancel = clock.schedule(LOOK_MS, () => {
      looking = look().finally(() => {
        if (!stopped) lookAgain();
      });
    });
  };
  return {
    name: 'rules folder',
    async start() {
      taken = await stampOf(folder);
      seen = taken;
      lookAgain();
    },
    async stop() {
      stopped = true;
      cancel();
      await looking;
    },
  };
}

/** Another one when a file came, went or changed. */
async function stampOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const stamps = await Promise.all(
    entries.sort().map(async (name) => {
      const { mtimeMs, size } = await stat(join(folder, name)).catch(() => ({ mtimeMs: 0, size: 0 }));
      return `${name} ${mtimeMs} ${size}`;
    }),
  );
  return stamps.join('\n');
}
