import { join } from 'node:path';
import { MUTATIONS, type Mutation, occurrences } from './mutations.js';
import { type Failure, Sandbox } from './sandbox.js';

/**
 * Breaks the engine in many ways, one at a time, in a copy of the repository, and demands that the specs of the engine, the
 * conformance corpus and the oracle notice each. Takes some minutes:
 *
 *     node --import ./test/harness/run-typescript.mjs test/mutation/check.ts [PART OF A NAME]
 *
 * Exits with 1 if a mutant survived, if an edit no longer applies, or if the specs fail without one.
 */
interface Judged {
  readonly mutation: Mutation;
  readonly killedBy: Failure;
  readonly seconds: number;
}

async function main(wanted: string): Promise<number> {
  const mutations = MUTATIONS.filter(({ name }) => name.includes(wanted));
  const sandbox = new Sandbox(join(import.meta.dirname, '../..'));
  // The copy must not outlive an interruption.
  process.once('SIGINT', () => {
    sandbox.remove();
    process.exit(1);
  });
  try {
    const stale = mutations.filter((m) => occurrences(sandbox.read(m.file), m) !== 1);
    if (stale.length > 0) {
      for (const m of stale)
        print(`EDIT NO LONGER APPLIES: ${m.name}\n  ${m.file} must have exactly once: ${m.snippet}`);
      return 1;
    }
    const unbroken = await sandbox.runSpecs();
    if (unbroken !== null) {
      print(`THE SPECS FAIL WITHOUT A MUTATION: ${unbroken.spec}: ${unbroken.why}`);
      return 1;
    }
    return report(await judgeAll(sandbox, mutations));
  } finally {
    sandbox.remove();
  }
}

async function judgeAll(sandbox: Sandbox, mutations: readonly Mutation[]): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  const width = Math.max(...mutations.map(({ name }) => name.length));
  for (const mutation of mutations) {
    const started = performance.now();
    const original = sandbox.read(mutation.file);
    sandbox.write(
      mutation.file,
      original.replace(mutation.snippet, () => mutation.replacement),
    );
    const killedBy = await sandbox.runSpecs();
    sandbox.write(mutation.file, original);
    const seconds = (performance.now() - started) / 1000;
    judged.push({ mutation, killedBy, seconds });
    const verdict = killedBy === null ? 'SURVIVED' : `killed by ${killedBy.spec}`;
    print(`${mutation.name.padEnd(width)}  ${seconds.toFixed(0).padStart(4)} s  ${verdict}`);
  }
  return judged;
}

function report(judged: readonly Judged[]): number {
  const survived = judged.filter(({ killedBy }) => killedBy === null);
  print(`${judged.length - survived.length} killed, ${survived.length} survived`);
  return survived.length === 0 ? 0 : 1;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main(process.argv[2] ?? '');
