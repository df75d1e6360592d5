import { type JournalEntry, readJournals } from '../journal/journal.js';
import { type Log, partitionName } from '../ports/log.js';

/**
 * The rule sets that a replay of what is left of the log may need, by their bodies: those that were in force somewhere behind the first
 * record of a partition that is still there. A cut or a savepoint from before that is of no use either.
 */
export async function neededBodies(
  log: Log,
  journalTopic: string,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const topics = await log.topics();
  const there = new Map(
    topics.flatMap(({ name: topic, partitions }) =>
      Array.from(
        { length: partitions },
        (_, partition) => [partitionName({ topic, partition }), { topic, partition }] as const,
      ),
    ),
  );
  const needed: Uint8Array[] = [];
  const journal = topics.find(({ name }) => name === journalTopic);
  for (let partition = 0; partition < (journal?.partitions ?? 0); partition++) {
    const { entries, bodies } = await readJournals(log, { topic: journalTopic, partition }, signal);
    const digests = new Set<string>();
    for (const [name, of] of entries) {
      // Of a topic that was deleted nothing can be replayed.
      const at = there.get(name);
      if (at === undefined) continue;
      for (const digest of digestsSince(of, (await log.offsets(at)).begin)) digests.add(digest);
    }
    for (const digest of digests) needed.push(...[bodies.get(digest)].filter((body) => body !== undefined));
  }
  return needed;
}

/** Those in force at an offset, and from there on. */
function digestsSince(entries: readonly JournalEntry[], begin: number): readonly string[] {
  const rules = entries.filter((entry) => entry.kind === 'rules');
  const first = Math.max(
    0,
    rules.findLastIndex(({ offset }) => offset <= begin),
  );
  return rules.slice(first).map(({ digest }) => digest);
}
