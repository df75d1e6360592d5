/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  /** In capitals: `COPY`. */
  readonly name: string;
  /** Flags such as `--from=build`, without the dashes. */
  readonly flags: ReadonlyMap<string, string>;
  readonly text: string;
  readonly line: number;
}

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** Reads the instructions of a Dockerfile. Here-documents are not understood; ours has none. */
export function parseDockerfile(text: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  let joined = '';
  let start = 0;
  text.split('\n').forEach((raw, i) => {
    if (/^\s*#/.test(raw) || (joined === '' && raw.trim() === '')) return;
    if (joined === '') start = i + 1;
    const line = raw.trimEnd();
    joined += `${line.replace(/\\$/, '').trim()} `;
    if (!line.endsWith('\\')) {
      instructions.push(instruction(joined.trim(), start));
      joined = '';
    }
  });
  if (joined !== '') throw new Error(`line ${start} of the Dockerfile is continued, but nothing follows`);
  return instructions;
}

export function stagesOf(instructions: readonly Instruction[]): readonly Stage[] {
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const each of instructions) {
    if (each.name === 'FROM') {
      const [image = '', , name] = each.text.split(/\s+/);
      stages.push({ image, name, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(each);
    }
  }
  return stages;
}

/** Sources and destination of a COPY. */
export function copied({ text }: Instruction): { readonly sources: readonly string[]; readonly to: string } {
  const paths = text.split(/\s+/);
  return { sources: paths.slice(0, -1), to: paths.at(-1) ?? '' };
}

/** What an ENV sets. */
export function variables({ text }: Instruction): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [name, value]));
}

function instruction(text: string, line: number): Instruction {
  const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  const flags = new Map<string, string>();
  const left = rest.replace(/^(--[a-z-]+=\S+\s+)+/, (found) => {
    for (const [, flag = '', value = ''] of found.matchAll(/--([a-z-]+)=(\S+)/g)) flags.set(flag, value);
    return '';
  });
  return { name: name.toUpperCase(), flags, text: left, line };
}
