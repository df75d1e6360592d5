import type { Settings, StreamSettings } from '../../runtime/settings/index.js';

/** More streams than one cannot be joined yet. */
export class StreamsError extends Error {
  readonly code = 'STREAMS';
}

/** The stream that the service reads. Throws `StreamsError` when it is none or several. */
export function onlyStream(settings: Settings): StreamSettings {
  const streams = Object.values(settings.streams).filter((stream) => stream.topics !== undefined);
  if (streams.length === 1) return streams[0]!;
  const names = streams.map((stream) => stream.name).join(', ');
  throw new StreamsError(
    streams.length === 0
      ? 'No stream reads a topic: set streams.<name>.topic.'
      : `The service reads one stream, and the settings name ${streams.length}: ${names}. Run one service for each.`,
  );
}
