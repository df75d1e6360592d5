import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { fieldNames, fieldOf } from '../condition/scope.js';
import { keyFields } from '../key-name.js';
import type { KeyBy } from '../rule.js';
import { suggest } from '../source/nearest.js';
import type { Span } from '../source/source-file.js';
import type { RuleStreams } from './read-streams.js';
import { type Entry, Section, spanOf } from './yaml-section.js';

const FORMS = 'the name of a field, a list of fields, {each: [fields]} or {by: {stream: field}}';
/** More parts than this are a slip. */
const PARTS_MAX = 8;

/** A name in the file. */
interface Named {
  readonly name: string;
  readonly span: Span;
}

/** `key` of a rule. Reports what is wrong; the key is then worth nothing. */
export function readKey(rule: Section, streams: RuleStreams): KeyBy {
  const entry = rule.entry('key');
  if (entry === undefined) {
    rule.missing('key', 'Add key: with the field that events are grouped by, such as the account.');
    return { form: 'one', field: '' };
  }
  if (isMap(entry.node)) return readForm(rule, streams);
  if (isSeq(entry.node)) {
    const fields = listed(rule, entry);
    check(rule, streams, fields, () => fields);
    return { form: 'pair', fields: fields.map(({ name }) => name) };
  }
  const field = rule.text('key', FORMS) ?? '';
  if (field !== '') check(rule, streams, [{ name: field, span: entry.span }], (named) => named);
  return { form: 'one', field };
}

function readForm(rule: Section, streams: RuleStreams): KeyBy {
  const section = rule.section('key', 'key', ['each', 'by'])!;
  const [each, by] = [section.entry('each'), section.entry('by')];
  if (by !== undefined && each === undefined) return readBy(section, by, streams);
  if (by !== undefined) {
    section.source.error('bad-value', by.keySpan, 'key has both each and by.', 'Leave one of them out.');
  } else if (each === undefined) {
    section.missing('each or by', 'Write key: {each: [from, to]} or key: {by: {payments: customer, logins: user}}.');
  }
  const fields = each === undefined ? [] : listed(section, each);
  // A stream may have some of them alone: its events count for those.
  const schemas = streams.schemas();
  const nowhere = fields.filter(({ name }) => schemas.every(({ schema }) => fieldOf({ schema }, name) === null));
  check(rule, streams, fields, (named, schema) => {
    const there = named.filter((field) => nowhere.includes(field) || fieldOf({ schema }, field.name) !== null);
    return there.length > 0 ? there : named;
  });
  return { form: 'each', fields: fields.map(({ name }) => name) };
}

function readBy(section: Section, entry: Entry, streams: RuleStreams): KeyBy {
  const map = section.section('by', 'by', null);
  const fields: Record<string, string> = {};
  for (const stream of map?.keys ?? []) {
    const own = map!.entry(stream)!;
    if (!streams.isThere(map!, stream, own.keySpan)) continue;
    const field = map!.text(stream, 'the name of a field');
    if (field !== undefined) fields[stream] = field;
  }
  for (const { name, schema } of streams.schemas()) {
    if (map === undefined || name === undefined) continue;
    const own = map.entry(name);
    if (own === undefined) {
      const message = `by does not say what the events of ${name} are grouped by.`;
      section.source.error('missing-key', entry.keySpan, message, `Add ${name}: with a field of that stream.`);
    } else if (fields[name] !== undefined) {
      checkIn(section, schema, null, [{ name: fields[name], span: own.span }]);
    }
  }
  return { form: 'by', streams: fields };
}

function listed(section: Section, entry: Entry): readonly Named[] {
  const nodes = isSeq(entry.node) ? (entry.node.items as Node[]) : [];
  const named = nodes.flatMap((node) =>
    isScalar(node) && typeof node.value === 'string' && node.value !== ''
      ? { name: node.value, span: spanOf(node) }
      : [],
  );
  const isList = named.length === nodes.length && nodes.length >= 2 && nodes.length <= PARTS_MAX;
  if (!isList) section.wrong(entry, `a list of 2 to ${PARTS_MAX} fields`);
  named.forEach(({ name, span }, i) => {
    if (named.findIndex((other) => other.name === name) < i) {
      section.source.error('bad-value', span, `${name} stands here twice.`, 'Leave one of them out.');
    }
  });
  return isList ? named : [];
}

type Schema = ReturnType<RuleStreams['schemas']>[number]['schema'];

/** Reports fields that a stream of the rule must have and has not. */
function check(
  rule: Section,
  streams: RuleStreams,
  named: readonly Named[],
  wanted: (named: readonly Named[], schema: Schema) => readonly Named[],
): void {
  const schemas = streams.schemas();
  for (const { name, schema } of schemas) {
    checkIn(rule, schema, schemas.length > 1 ? (name ?? null) : null, wanted(named, schema));
  }
}

/** `stream`: to be named in messages. */
function checkIn(rule: Section, schema: Schema, stream: string | null, named: readonly Named[]): void {
  for (const { name, span } of named) {
    const field = fieldOf({ schema }, name);
    if (field === null) {
      const message = stream === null ? `There is no field ${name}.` : `${stream} has no field ${name}.`;
      const near = suggest(name, fieldNames({ schema }));
      const hint = stream === null ? near : `If it has another name there, write key: {by: {${stream}: …}}.`;
      rule.source.error('unknown-field', span, message, hint);
    } else if (field !== 'unknown' && field.type === 'other') {
      const message = `${name} is a record or list: events cannot be grouped by it.`;
      rule.source.error('type-mismatch', span, message);
    }
  }
}

/** All fields that a key reads, whatever the stream. */
export function allKeyFields(key: KeyBy): readonly string[] {
  return key.form === 'by' ? Object.values(key.streams) : keyFields(key, undefined);
}
