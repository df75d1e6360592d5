import { isMap } from 'yaml';
import type { Skip } from '../../engine/index.js';
import type { Span } from '../source/source-file.js';
import type { Section } from './yaml-section.js';

const WORDS = ['noSkip', 'toNext', 'pastLastEvent'] as const;

/** `skip: pastLastEvent`, or `skip: {toFirst: step, onMiss: error}`. */
export function readSkip(rule: Section, places: Map<string, Span>): Skip | undefined {
  const entry = rule.entry('skip');
  if (entry === undefined) return undefined;
  if (!isMap(entry.node)) {
    const strategy = rule.choice('skip', WORDS);
    return strategy && { strategy };
  }
  const section = rule.section('skip', 'skip', ['toFirst', 'toLast', 'onMiss'])!;
  const strategy = section.entry('toFirst') ? 'toFirst' : 'toLast';
  if (section.entry('toFirst') && section.entry('toLast')) {
    section.source.error(
      'bad-value',
      section.place('toLast')!,
      'skip goes to one step only.',
      'Leave one of them out.',
    );
  }
  if (!section.entry(strategy)) {
    section.missing('toFirst or toLast', 'Write skip: {toFirst: step}.');
    return undefined;
  }
  places.set('skip/step', section.entry(strategy)!.span);
  const step = section.text(strategy, 'the name of a step');
  const onMiss = section.choice('onMiss', ['ignore', 'error']);
  if (step === undefined) return undefined;
  return { strategy, step, ...(onMiss === undefined ? {} : { onMiss }) };
}
