import type { Settings, StreamSettings } from '../../runtime/settings/index.js';

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
  return [first, ...others];
}
