import { systemClock } from '../../connectors/system-clock.js';
import type { Log } from '../../runtime/ports/log.js';
import type { Settings } from '../../runtime/settings/index.js';
import { SourceBook } from '../../runtime/sources/source-book.js';
import { effectiveSettings } from './effective.js';

/** The settings with what services of the group have registered, where none runs here that would know. */
export async function settingsNow(settings: Settings, log: Log): Promise<Settings> {
  const { topic } = settings.sources;
  if (!(await log.topics()).some(({ name }) => name === topic)) return settings;
  const book = new SourceBook({ log, topic, clock: systemClock });
  await book.refresh();
  return effectiveSettings(settings, { stream: book.chain.of('stream'), sink: book.chain.of('sink') });
}
