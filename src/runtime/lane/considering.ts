import type { Consideration, Elsewhere, Question } from '../detector.js';
import { UnreadableError } from '../detector.js';
import { partitionOfKey } from '../partitioner.js';
import { DecodeFailure } from '../ports/decoder.js';
import { type GroupMember, type OutgoingRecord, partitionName } from '../ports/log.js';
import { considerRecord } from '../task/consider-record.js';
import { keyFeatures } from '../task/key-features.js';
import type { Owned } from './owned.js';
import type { Routing } from './routing.js';

/**
 * What a record would do if it came next to a partition; see `Detector.consider`. It waits for nothing but the record's schema: the
 * state is as the last batch, or part of one, has left it.
 */
export async function considerIn(
  owned: Owned | undefined,
  member: GroupMember | null,
  routing: Routing,
  question: Question,
  signal: AbortSignal,
): Promise<Consideration | Elsewhere> {
  if (owned === undefined) return { elsewhere: member?.owners?.().get(partitionName(question)) ?? null };
  if (!owned.task.isLive) return { elsewhere: null };
  if (question.featuresOf !== undefined) return featuresIn(owned, question.featuresOf);
  const { key, value } = question;
  const forwards: OutgoingRecord[] = [];
  const forwarder = routing.forwarder(owned.task.partition, (_from, record) => void forwards.push(record));
  const considered = await considerRecord(owned.task.considering, { key, value }, signal, (event) =>
    forwarder?.forward(event),
  );
  if (considered instanceof DecodeFailure) throw new UnreadableError(considered.detail);
  return { ...considered, forwards: forwards.map((record) => questionOf(record, routing)) };
}

/** As of now, of what is in the state. */
function featuresIn({ task: { considering } }: Owned, asked: NonNullable<Question['featuresOf']>): Consideration {
  const { partition, position, detection } = considering;
  const { watermark } = detection.clock;
  const asOf = { ...partition, position, watermark: Number.isFinite(watermark) ? watermark : null };
  const nothing = { isLate: false, waiting: 0, alerts: [], advances: [], forwards: [] };
  return { ...nothing, asOf, keyFeatures: keyFeatures(detection, asked) };
}

/** Forwarded events have a key, and are spread by it. */
function questionOf({ topic, key, value }: OutgoingRecord, routing: Routing): Question {
  const partition = partitionOfKey(key!, routing.partitionsOfTopic(topic));
  return { topic, partition, key, value: value! };
}
