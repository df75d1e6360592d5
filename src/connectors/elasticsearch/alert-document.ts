import type { Alert } from '../../runtime/ports/alert.js';

export type Rollover = 'day' | 'month' | 'none' | 'alias';

/**
 * An alert as a document. What its features were is there twice: whole in `features`, which is not indexed, because two rules may
 * have features of one name and different kinds; and by kind in `numbers`, `texts` and `flags`, to search and to draw.
 */
export function alertDocument(alert: Alert): object {
  const features = Object.entries(alert.features ?? {});
  const ofKind = (kind: string) => Object.fromEntries(features.filter(([, value]) => typeof value === kind));
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    ...alert,
    '@timestamp': time(alert.detectedAt),
    firstEventTime: time(alert.firstEventTime),
    lastEventTime: time(alert.lastEventTime),
    detectedAt: time(alert.detectedAt),
    eventIds: alert.steps.flatMap(({ events }) => events.map(({ id }) => id)),
    numbers: ofKind('number'),
    texts: ofKind('string'),
    flags: ofKind('boolean'),
  };
}

/** The index that an alert belongs to: the same one however often it is written. */
export function indexOf(index: string, rollover: Rollover, { detectedAt }: Alert): string {
  if (rollover === 'none' || rollover === 'alias') return index;
  const [year, month, day] = new Date(detectedAt).toISOString().slice(0, 10).split('-');
  return rollover === 'day' ? `${index}-${year}.${month}.${day}` : `${index}-${year}.${month}`;
}

const keyword = { type: 'keyword' };
const date = { type: 'date' };
const bounded = { type: 'keyword', ignore_above: 8_191 };
const unindexed = { type: 'object', enabled: false };

/** The template of all indices that begin so. */
export function indexTemplate(
  index: string,
  rollover: Rollover,
  { shards, replicas }: { readonly shards: number; readonly replicas: number },
): object {
  const byKind = (name: string, mapping: object) => ({ [name]: { path_match: `${name}.*`, mapping } });
  return {
    index_patterns: rollover === 'none' ? [index] : [`${index}-*`],
    priority: 200,
    template: {
      settings: {
        index: { number_of_shards: shards, number_of_replicas: replicas, 'mapping.total_fields.limit': 2_000 },
      },
      // All of them under one name, to read.
      ...(rollover === 'day' || rollover === 'month' ? { aliases: { [index]: {} } } : {}),
      mappings: {
        dynamic: false,
        dynamic_templates: [
          byKind('numbers', { type: 'double' }),
          byKind('texts', bounded),
          byKind('flags', { type: 'boolean' }),
        ],
        properties: {
          '@timestamp': date,
          ...{ id: keyword, patternId: keyword, revision: keyword, severity: keyword, key: keyword, keyField: keyword },
          title: { type: 'text', fields: { keyword: bounded } },
          message: { type: 'text' },
          score: { type: 'double' },
          ...{ firstEventTime: date, lastEventTime: date, detectedAt: date },
          eventIds: bounded,
          ...{ features: unindexed, steps: unindexed },
          ...{ numbers: { type: 'object', dynamic: true } },
          ...{ texts: { type: 'object', dynamic: true }, flags: { type: 'object', dynamic: true } },
        },
      },
    },
  };
}
