import { personalFields } from '../../connectors/avro/personal-fields.js';
import type { Settings } from '../../runtime/settings/index.js';
import { Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';

/** What stands for personal values in alerts, by the settings and these schemas of streams; undefined: the values themselves. */
export function pseudonymsOf({ access }: Pick<Settings, 'access'>, schemas: Iterable<unknown>): Pseudonyms | undefined {
  const { pseudonymKey, personalFields: named } = access;
  if (pseudonymKey === undefined) return undefined;
  return new Pseudonyms(pseudonymKey, [...named, ...[...schemas].flatMap((schema) => [...personalFields(schema)])]);
}
