import { systemClock } from '../../connectors/system-clock.js';
import { loadRules, ParsedRules, readRules } from '../../rules/index.js';
import type { Settings } from '../../runtime/settings/index.js';
import { listBook, listsNow } from '../compose/lists/list-book.js';
import { openLog } from '../compose/log.js';
import { allFacts, ruleStreamsOf } from '../compose/streams/stream-parts.js';
import { settingsNow } from '../sources/settings-now.js';
import { RuleControl } from './rule-control.js';
import { runs } from './rule-plan.js';

/**
 * The rules of the settings' rules topic, to look at and to publish, with no service running here. Approval is asked for as the
 * settings say. Throws what opening the log, the lists or the schemas throws; gives up after some time where the log is away.
 */
export async function openControl(
  settings: Settings,
  report: (text: string) => void,
): Promise<{ readonly control: RuleControl; close(): Promise<void> }> {
  const log = await openLog(settings, report);
  try {
    // It would be waited for else, for as long as it takes.
    await log.topics();
    const streams = ruleStreamsOf(allFacts(await settingsNow(settings, log)));
    const lists = await listsNow(settings, listBook(settings, log, systemClock));
    const against = { lists: lists.known, streams, known: new ParsedRules() };
    const { rules, texts, diagnostics } = await loadRules([settings.patterns], against);
    const files = rules.map(({ source }) => ({ file: source, text: texts.get(source)! }));
    const control = new RuleControl({
      ...{ log, clock: systemClock, topic: settings.rules.topic, approval: settings.rules.approval },
      initial: { all: rules, files, rules: rules.filter(runs), sources: files, diagnostics },
      read: (of) => readRules(of, against),
      report: () => undefined,
      warn: (text, trouble) => report(`${text}: ${trouble.message}`),
    });
    await control.open();
    return {
      control,
      close: async () => {
        await control.stop();
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}
