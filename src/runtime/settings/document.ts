import { variableOf } from './environment.js';
import { settingsSchema } from './schema.js';
import { type Leaf, leavesOf } from './tree.js';

const introduction = `# Settings

This page is made from the schema in \`src/runtime/settings/schema.ts\`: \`UPDATE_DOCS=1 npm test -- src/runtime/settings\`
writes it anew, and the same spec fails when it is out of step.

Settings come from a YAML file (\`stakeout start --config stakeout.yaml\`), from environment variables, and from the options
of a command; the later goes before the earlier. Everything is checked at start, and all errors are printed at once with
their place. An unknown key, or an unknown variable that begins with \`STAKEOUT_\`, is an error.

- Durations are written \`250ms\`, \`10s\`, \`5m\`, \`1h30m\`, \`7d\`; sizes \`64KiB\`, \`10MB\`, \`1GiB\`.
- Relative paths in a file are relative to that file; elsewhere, to the current folder.
- Lists in a variable are separated by commas. An empty variable counts as not set.
- A secret can also be read from a file: its variable with \`_FILE\` at the end names the file.
- In the variable of a stream's setting (and so of a sink's), \`*\` stands for the stream's name in capitals
  (\`STAKEOUT_STREAMS_TRANSACTIONS_TOPIC\`). The stream must be one of the file, or the default one.

The default stream, when the file has no \`streams\`, is \`transactions\`: topic \`transactions\`, the shipped
\`schemas/transaction.avsc\`, key \`accountId\`, time \`eventTime\`, id \`transactionId\`, type \`type\`.
`;

/** The text of `docs/settings.md`. */
export function settingsDocument(): string {
  const sections = new Map<string, Leaf[]>();
  for (const leaf of leavesOf(settingsSchema)) {
    const name = leaf.path.length === 1 ? '' : (leaf.path[0] as string);
    const section = sections.get(name) ?? [];
    section.push(leaf);
    sections.set(name, section);
  }
  const text = [...sections].map(([name, leaves]) => {
    const title = name === '' ? 'General' : name === 'streams' || name === 'sinks' ? `${name}.<name>` : name;
    return `## ${title}\n\n${leaves.map(entry).join('\n')}`;
  });
  return [introduction, ...text].join('\n');
}

function entry({ path, meta, defaultValue }: Leaf): string {
  const name = path.map((part) => (part === '*' ? '<name>' : part)).join('.');
  const variables = [variableOf(path), ...(meta.env ?? [])].map((variable) => `\`${variable}\``);
  const byDefault = meta.defaultText ?? (defaultValue === undefined ? 'none' : `\`${written(defaultValue)}\``);
  return [
    `### \`${name}\``,
    meta.description,
    `- Expected: ${meta.expected}`,
    `- Default: ${byDefault}`,
    meta.kind === 'map'
      ? '- Environment: none'
      : `- Environment: ${variables.join(', ')}${meta.secret ? ' (a secret: also with `_FILE`)' : ''}`,
    '',
  ]
    .join('\n')
    .replace(`\n${meta.description}`, `\n\n${meta.description}\n`);
}

function written(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
