/** One produce request with batches that are encoded already. */
import type { API, Connection, produceV11 } from '@platformatic/kafka';
import { MultipleErrors, produceV11 as produceApi, protocolErrorsCodesById, Writer } from '@platformatic/kafka';

export interface EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

const ACKS_ALL = -1;

export interface Produced {
  /** Kafka's own name of the result, `NONE` for written. */
  readonly result: string;
  /** Of the batch's first record; -1 where the broker does not say. */
  readonly baseOffset: number;
}

/**
 * Sends with acks=all. Resolves with the results by `topic-partition`.
 *
 * @param transactionalId of the transaction that the batches belong to, or `null`
 */
export async function produce(
  connection: Connection,
  api: API<never, unknown> | { readonly key: number; readonly version: number },
  batches: readonly EncodedBatch[],
  timeoutMs: number,
  transactionalId: string | null = null,
): Promise<Map<string, Produced>> {
  const topics = new Map<string, EncodedBatch[]>();
  for (const batch of batches) {
    const of = topics.get(batch.topic);
    if (of === undefined) topics.set(batch.topic, [batch]);
    else of.push(batch);
  }
  const write = () =>
    Writer.create()
      .appendString(transactionalId)
      .appendInt16(ACKS_ALL)
      .appendInt32(timeoutMs)
      .appendArray([...topics], (w, [topic, list]) => {
        w.appendString(topic).appendArray(list, (v, { partition, bytes }) => {
          v.appendInt32(partition)
            .appendUnsignedVarInt(bytes.length + 1)
            .append(bytes);
        });
      })
      .appendTaggedFields();
  const response = await new Promise<produceV11.ProduceResponse>((resolve, reject) => {
    connection.send(api.key, api.version, write, produceApi.parseResponse, true, true, (error, answer) => {
      const whole = answer ?? (error instanceof MultipleErrors ? (error as Whole).response : undefined);
      if (whole === undefined) reject(error);
      else resolve(whole);
    });
  });
  const names: Readonly<Record<number, string>> = protocolErrorsCodesById;
  return new Map(
    response.responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map((p) => {
        const result = names[p.errorCode] ?? `ERROR_${p.errorCode}`;
        return [`${name}-${p.index}`, { result, baseOffset: Number(p.baseOffset) }];
      }),
    ),
  );
}

/** An error of one partition comes as an exception that holds the whole answer. */
interface Whole {
  readonly response?: produceV11.ProduceResponse;
}
