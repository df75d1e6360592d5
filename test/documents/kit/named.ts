/** What documents name within their sentences, and in blocks that are only shown: commands and paths of the API. */
import { CommanderError } from 'commander';
import { makeProgram } from '../../../src/cli/main.js';
import { settingsSchema } from '../../../src/runtime/settings/schema.js';
import { leavesOf } from '../../../src/runtime/settings/tree.js';
import type { OpenApi } from '../../../src/service/testing/as-documented.js';

const SETTINGS = leavesOf(settingsSchema).map(({ path }) => path);
const SECTIONS = new Set(SETTINGS.map(([section]) => section!));

export interface Named {
  readonly text: string;
  readonly line: number;
}

/** Each `stakeout …`, without what is before it. */
export function commandsIn(document: string): readonly Named[] {
  return codeIn(document).flatMap(({ text, line }) => {
    const found = /(?:^|npx |bin\/|=\S+ )stakeout(?:\.mjs)? (\S.*)/.exec(text);
    return found === null ? [] : [{ text: found[1]!.replace(/\s+#.*$/, ''), line }];
  });
}

/** Each path of the API, with the method before it where there is one. */
export function pathsIn(document: string): readonly Named[] {
  return document.split('\n').flatMap((text, at) => {
    const found = text.matchAll(/(?:\b(GET|POST|PUT|PATCH|DELETE) )?(?<![\w.])(\/v1\/[\w{}<>/.-]+)/g);
    return [...found].map(([, method, path]) => ({
      text: `${method ?? '*'} ${path!.replace(/[./]+$/, '')}`,
      line: at + 1,
    }));
  });
}

/** Each setting by its whole name, `kafka.tls.enabled`; those of a section are `kafka.tls.*`. */
export function settingsIn(document: string): readonly Named[] {
  return codeIn(document).filter(
    ({ text }) => /^[a-z]\w*(\.(\w+|<name>|\*))+$/.test(text) && SECTIONS.has(text.split('.')[0]!),
  );
}

/** Code within sentences, and the lines of blocks for a shell, or of no language. */
function codeIn(document: string): readonly Named[] {
  let block: string | null = null;
  return document.split('\n').flatMap((text, at) => {
    const fence = /^```(\w*)/.exec(text);
    if (fence !== null) {
      block = block === null ? fence[1]! : null;
      return [];
    }
    if (block !== null) return block === 'sh' || block === '' ? [{ text: text.trim(), line: at + 1 }] : [];
    return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => ({ text: code!, line: at + 1 }));
  });
}

/** What a sentence may leave out. */
const LEFT_OUT = /missing|help/i;

/** Why there is no such command, or no such option of it; `null`: there is. Nothing is run. */
export async function whyNoCommand(text: string): Promise<string | null> {
  const words = text.replace(/[[\]]/g, '').match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const program = makeProgram(async () => undefined);
  for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])])
    command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return LEFT_OUT.test(error.code) ? null : error.message;
  }
  return null;
}

/** Whether there is such a setting, or section of settings. */
export function isSetting(text: string): boolean {
  const named = text.replace(/\.\*$/, '').split('.');
  return SETTINGS.some((path) => named.every((name, n) => path[n] === '*' || path[n] === name));
}

/** Whether the API has a path; what stands for a name is `{id}`, `<name>` or in capitals. */
export function isPath({ paths }: OpenApi, text: string): boolean {
  const [method = '*', path = ''] = text.split(' ');
  const asked = path.split('/');
  return Object.entries(paths).some(([template, methods]) => {
    const parts = template.split('/');
    if (parts.length !== asked.length || (method !== '*' && methods[method.toLowerCase()] === undefined)) return false;
    return parts.every((part, n) => part === asked[n] || part.startsWith('{'));
  });
}
