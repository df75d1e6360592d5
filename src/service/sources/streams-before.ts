import type { Tree } from '../../runtime/settings/tree.js';
import { digestOf } from '../../runtime/sources/source-chain.js';
import type { RuleSetReading, StreamAs } from '../compose/rules/rule-set.js';
import { makeStream, type StreamContext, type StreamParts } from '../compose/streams/stream-parts.js';
import { streamOf } from './effective.js';

/** Streams as the journal has them, for `ruleSetReader`. Nothing where none was registered. */
export function streamsAsTheyWere(context: StreamContext): Pick<RuleSetReading, 'streamAs'> {
  const { settings } = context;
  const { registered } = settings;
  if (registered === undefined || Object.keys(registered).length === 0) return {};
  const made = new Map<string, StreamParts>();
  const as = (name: string, definition: Tree): StreamParts => {
    const key = `${name} ${digestOf(definition)}`;
    const stream = made.get(key) ?? makeStream(streamOf(settings, name, definition), context);
    made.set(key, stream);
    return stream;
  };
  const streamAs: StreamAs = (name, definition) => {
    const own = definition ?? registered[name]?.was ?? null;
    return own === null ? null : as(name, own);
  };
  return { streamAs };
}
