/** One fetch request over several partitions that the same broker leads. */
import type { Broker, fetchV17 } from '@platformatic/kafka';
import { MultipleErrors, protocolErrorsCodesById } from '@platformatic/kafka';
import { apis } from '../client/apis.js';
import type { Cluster } from '../client/cluster.js';
import type { Link } from '../client/link.js';
import type { Cursor } from './cursor.js';

const READ_COMMITTED = 1;
/** No session at the broker: each request names its partitions, so nothing has to be kept in step with it. */
const NO_SESSION = { id: 0, epoch: -1 };
const ANY_EPOCH = -1;

/** What came back for a partition; `error` is Kafka's own name of what is wrong, `null` when nothing is. */
export interface Fetched<C> {
  readonly wanted: C;
  readonly error: string | null;
  readonly response: fetchV17.FetchResponsePartition;
}

/** Waits at the broker until there is something, at most `maxWaitMs`. Partitions without an entry in the answer are left out. */
export async function fetchFrom<C extends { readonly cursor: Cursor }>(
  cluster: Cluster,
  link: Link,
  broker: Broker,
  wanted: readonly C[],
  maxWaitMs: number,
): Promise<Fetched<C>[]> {
  const { fetchMaxBytes, partitionMaxBytes } = cluster.settings;
  const byTopicId = new Map<string, { asked: fetchV17.FetchRequestTopic; by: Map<number, C> }>();
  for (const want of wanted) {
    const { topic, partition } = want.cursor.of;
    const topicId = cluster.topic(topic)?.id;
    if (topicId === undefined) continue;
    const { asked, by } = byTopicId.get(topicId) ?? { asked: { topicId, partitions: [] }, by: new Map<number, C>() };
    byTopicId.set(topicId, { asked, by });
    by.set(partition, want);
    asked.partitions.push({
      partition,
      currentLeaderEpoch: ANY_EPOCH,
      fetchOffset: BigInt(want.cursor.position),
      lastFetchedEpoch: ANY_EPOCH,
      partitionMaxBytes,
    });
  }
  const topics = [...byTopicId.values()].map(({ asked }) => asked);
  const connection = await link.connection(broker);
  const api = await link.choose(connection, apis.fetch);
  const response = await api
    .async(connection, maxWaitMs, 1, fetchMaxBytes, READ_COMMITTED, NO_SESSION.id, NO_SESSION.epoch, topics, [], '')
    .catch(wholeAnswer);
  return response.responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap((p) => {
      const found = byTopicId.get(topicId)?.by.get(p.partitionIndex);
      return found === undefined ? [] : [{ wanted: found, error: nameOf(p.errorCode), response: p }];
    }),
  );
}

/** An error of one partition comes as an exception that holds the whole answer; one of the request holds no partitions. */
function wholeAnswer(error: unknown): fetchV17.FetchResponse {
  if (error instanceof MultipleErrors) {
    const { response } = error as { response?: fetchV17.FetchResponse };
    if (response !== undefined && response.errorCode === 0) return response;
  }
  throw error;
}

function nameOf(code: number): string | null {
  if (code === 0) return null;
  const names: Readonly<Record<number, string>> = protocolErrorsCodesById;
  return names[code] ?? `ERROR_${code}`;
}
