import { isMap, isScalar, isSeq, type Node, visit } from 'yaml';
import { readYaml } from '../../read/read-yaml.js';
import { Section, spanOf, type YamlFile } from '../../read/yaml-section.js';
import { SourceFile } from '../../source/source-file.js';

/** A JSON file with the places of all its parts. `null` as a value is as good as no entry. */
export function readJson(source: SourceFile): (YamlFile & { readonly root: Node }) | null {
  try {
    JSON.parse(source.text);
  } catch (error) {
    const { message } = error as Error;
    const at = Number(/at position (\d+)/.exec(message)?.[1] ?? source.text.length);
    const said = message.replace(/ in JSON at position.*$| at position.*$/s, '');
    source.error('json-syntax', { start: at, end: at + 1 }, `The file is not JSON: ${said}.`);
    return null;
  }
  // JSON is YAML, but for tabs, which can only be white space in it.
  const document = readYaml(new SourceFile(source.file, source.text.replaceAll('\t', ' ')));
  if (document === null || document.contents === null) {
    source.error('json-syntax', { start: 0, end: 1 }, 'The file is nested too deep.');
    return null;
  }
  visit(document, {
    Pair: (_, { value }) => (value === null || (isScalar(value) && value.value === null) ? visit.REMOVE : undefined),
  });
  return { source, document, root: document.contents };
}

/** The maps of a list; `null`: it is none, which is reported. */
export function sections(from: Section, key: string, what: string, known: readonly string[]): Section[] | null {
  const entry = from.entry(key);
  if (entry === undefined) {
    from.missing(key, `Add "${key}".`);
    return null;
  }
  if (!isSeq(entry.node)) {
    from.wrong(entry, 'a list');
    return null;
  }
  const found = (entry.node.items as Node[]).map((node) => {
    if (isMap(node)) return new Section(from.yaml, node, what, known);
    from.source.error('wrong-form', spanOf(node), `${what} is an object.`);
    return null;
  });
  return found.every((one) => one !== null) ? found : null;
}
