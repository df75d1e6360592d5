import { isFed, type Settings, type StreamSettings } from '../../../runtime/settings/index.js';

/** There is nothing to read. */
export class StreamsError extends Error {
  readonly code = 'STREAMS';
}

/**
 * The streams that the service reads, in the order of the settings; the first is that of `POST /v1/transactions`, and of rules where there
 * is but one. Throws `StreamsError` when there is none.
 */
export function topicStreams(settings: Settings): readonly [StreamSettings, ...StreamSettings[]] {
  const [first, ...others] = Object.values(settings.streams).filter((stream) => stream.topics !== undefined);
  if (first === undefined) throw new StreamsError('No stream reads a topic: set streams.<name>.topic.');
  for (const stream of [first, ...others]) if (isFed(stream)) checkTable(stream, settings);
  return [first, ...others];
}

/** What a stream needs so that a table can be fed into its topic, and nothing of it is passed over there. */
function checkTable({ name, format, schema }: StreamSettings, { start }: Settings): void {
  if (format !== 'ndjson' && schema === undefined)
    throw new StreamsError(
      `streams.${name}.schema: expected an Avro schema (.avsc), by which rows of the table are written; PUT /v1/streams/${name} with dryRun answers with one that is made of its columns. Or set streams.${name}.format to ndjson: rules are not checked against it then.`,
    );
  if (start.at === 'latest')
    throw new StreamsError(
      `start: expected committed, earliest or a time, because the stream ${name} is a table, whose first rows latest could pass over.`,
    );
}
