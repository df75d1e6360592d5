import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Lists } from '../../engine/index.js';
import { type Entry, resolved, Section } from '../read/yaml-section.js';
import type { Rule } from '../rule.js';
import { suggest } from '../source/nearest.js';

/** What one list of a test holds: the values of a map, or `null` for an entry of a set. */
type TestList = ReadonlyMap<string, string | null>;

/** The reference lists of one test: its own, else those of the file. */
export function readTestLists(rule: Rule, sections: readonly Section[], test: Section): Lists {
  const asked = rule.lists ?? [];
  const lists = new Map<string, TestList>();
  for (const section of sections) {
    for (const name of section.keys) {
      const entry = section.entry(name)!;
      if (!asked.includes(name)) {
        const hint = asked.length === 0 ? 'Leave it out.' : suggest(name, asked);
        section.source.error('unknown-list', entry.keySpan, `The rule asks no list ${name}.`, hint);
      }
      lists.set(name, readList(section, entry));
    }
  }
  for (const name of asked.filter((one) => !lists.has(one))) {
    const hint = `Add lists: {${name}: [KP]}, or {${name}: {key: value}}, to the test or the file.`;
    test.source.error(
      'missing-list',
      startOf(test),
      `The rule asks the list ${name}, and the test does not have it.`,
      hint,
    );
  }
  return {
    has: (list, value) => lists.get(list)?.has(value) ?? false,
    get: (list, key) => lists.get(list)?.get(key) ?? undefined,
  };
}

const startOf = ({ span }: Section) => ({ start: span.start, end: span.start });

function readList(section: Section, entry: Entry): TestList {
  const { node } = entry;
  if (isSeq(node)) {
    const texts = node.items.map((item) => textOf(resolved(item, section.yaml)));
    if (texts.every((text) => text !== undefined)) return new Map(texts.map((text) => [text, null]));
  } else if (isMap(node)) {
    const inner = new Section(section.yaml, node, 'A list', null);
    const pairs = inner.keys.map((key) => [key, textOf(inner.entry(key)!.node)] as const);
    if (pairs.every(([, text]) => text !== undefined)) return new Map(pairs as readonly (readonly [string, string])[]);
  }
  section.wrong(entry, 'a list of entries, or a map of keys and values');
  return new Map();
}

const textOf = (node: Node | null): string | undefined =>
  isScalar(node) && node.value !== null
    ? String(typeof node.value === 'string' ? node.value : (node.source ?? node.value))
    : undefined;
