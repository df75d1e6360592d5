import { loadRules, parseRule, type RuleText, type Template, templateOf } from '../../rules/index.js';

/** A template, and where it comes from. */
export interface ShelvedTemplate extends Template {
  readonly source: 'folder' | 'rules';
}

/**
 * The templates that there are: those in the folder of the settings, and the rules of the set in force that have parameters; of two with one id
 * that of the folder. Read anew each time: a template that was put into the folder is there.
 */
export async function templatesIn(folder: string, rules: readonly RuleText[]): Promise<readonly ShelvedTemplate[]> {
  const files: RuleText[] = [];
  await loadRules([folder], { onText: (file) => files.push(file) });
  const found = new Map<string, ShelvedTemplate>();
  for (const [source, texts] of [
    ['folder', files],
    ['rules', rules],
  ] as const) {
    for (const file of texts) {
      const template = shelved(file);
      if (template !== null && !found.has(template.id)) found.set(template.id, { ...template, source });
    }
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** `null`: it is no template, or does not hold with its defaults and those of its parameters that have none. */
function shelved(file: RuleText): Template | null {
  // Nothing is known of streams here: whether a field is there is told when it is filled.
  const { rule } = parseRule(file.text, file.file, null);
  return rule === null ? withoutDefaults(file) : templateOf(file, rule);
}

/** A template whose parameters have no defaults is no rule until it is filled; its id and title stand at the beginnings of lines. */
function withoutDefaults(file: RuleText): Template | null {
  const said = (key: string): string | undefined =>
    new RegExp(`^${key}[ \\t]*:[ \\t]*(.+?)[ \\t]*$`, 'm').exec(file.text)?.[1]?.replace(/^(["'])(.*)\1$/, '$2');
  const id = said('id');
  if (id === undefined || id.includes('$')) return null;
  const description = said('description');
  const template = templateOf(file, { id, title: said('title') ?? id, ...(description && { description }) });
  return template?.parameters.some((parameter) => parameter.default === undefined) ? template : null;
}
