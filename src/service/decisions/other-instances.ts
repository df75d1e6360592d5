import type { Consideration, FeatureQuestion, Question } from '../../runtime/detector.js';

/** Longer than any answer takes that is worth waiting for. */
const TIMEOUT_MS = 2000;

/** A question as JSON: bytes in base64. */
export interface SentQuestion {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: string;
  readonly featuresOf?: FeatureQuestion;
}

export const sentQuestion = ({ topic, partition, key, value, featuresOf }: Question): SentQuestion => ({
  ...(featuresOf === undefined ? {} : { featuresOf }),
  ...{ topic, partition },
  key: key === null ? null : Buffer.from(key).toString('base64'),
  value: Buffer.from(value).toString('base64'),
});

/** `null`: it is none. */
export function questionOf(sent: unknown): Question | null {
  const { topic, partition, key, value, featuresOf } = (sent ?? {}) as Partial<Record<keyof SentQuestion, unknown>>;
  if (typeof topic !== 'string' || !Number.isSafeInteger(partition) || typeof value !== 'string') return null;
  if (key !== null && typeof key !== 'string') return null;
  const asked = featuresOf as Partial<Record<keyof FeatureQuestion, unknown>> | undefined;
  if (asked !== undefined && (typeof asked?.pattern !== 'string' || typeof asked.key !== 'string')) return null;
  if (asked?.events !== undefined && !Number.isSafeInteger(asked.events)) return null;
  if (asked?.told !== undefined && (typeof asked.told !== 'object' || asked.told === null)) return null;
  return {
    ...(asked === undefined ? {} : { featuresOf: asked as NonNullable<Question['featuresOf']> }),
    ...{ topic, partition: partition as number },
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: Buffer.from(value, 'base64'),
  };
}

interface SentConsideration extends Omit<Consideration, 'forwards'> {
  readonly forwards: readonly SentQuestion[];
}

export const sentConsideration = (answer: Consideration): SentConsideration => ({
  ...answer,
  forwards: answer.forwards.map(sentQuestion),
});

/** Asks the instance at this URL; `null`: it does not own the partition (any more), or does not answer. */
export async function askInstance(url: string, question: Question, secret?: string): Promise<Consideration | null> {
  try {
    const answer = await fetch(new URL('/v1/decisions/questions', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify(sentQuestion(question)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      return null;
    }
    const { forwards, ...rest } = (await answer.json()) as SentConsideration;
    return { ...rest, forwards: forwards.map((one) => questionOf(one)!) };
  } catch {
    // Whoever asked is told that there was no answer, which is all that can be said.
    return null;
  }
}
