import { systemClock } from '../../../connectors/system-clock.js';
import type { Log } from '../../../runtime/ports/log.js';
import type { StateStore } from '../../../runtime/ports/state-store.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { listBook, listsNow } from '../../../service/compose/lists/list-book.js';
import { openLog } from '../../../service/compose/log.js';
import { presentRules } from '../../../service/compose/rules/present-rules.js';
import { RuleSetError, ruleSetsOf } from '../../../service/compose/rules/rule-set.js';
import { NoRulesError } from '../../../service/compose/rules/running-rules.js';
import { openObjectStore } from '../../../service/compose/stored/objects.js';
import { ServiceState } from '../../../service/compose/stored/store.js';
import { type AllStreams, makeStreams, ruleStreamsOf } from '../../../service/compose/streams/stream-parts.js';
import { StreamsError } from '../../../service/compose/streams/topic-streams.js';
import type { SavepointParts } from '../../../service/savepoints/savepoint-parts.js';
import { settingsNow } from '../../../service/sources/settings-now.js';
import { CommandError } from '../../command-error.js';
import type { Output } from '../../output.js';

/** A service that does not run, with its log and its state open. */
export interface StoppedService extends SavepointParts {
  readonly log: Log;
  readonly store: StateStore;
  readonly streams: AllStreams;
}

/**
 * Opens what the settings name, does something, and closes it. What a person can mend becomes a `CommandError`.
 *
 * @param busy what to do where a running service has the log or the state.
 */
export async function withStoppedService<T>(
  settings: Settings,
  output: Output,
  busy: string,
  act: (service: StoppedService) => Promise<T>,
): Promise<T> {
  if (settings.state.store === 'memory') {
    throw new CommandError('state.store is memory: a service that has stopped has left no state behind.');
  }
  try {
    const log = await openLog(settings, (text) => output.say(text));
    try {
      return await withState(settings, log, output, act);
    } finally {
      await log.close();
    }
  } catch (error) {
    throw asCommandError(error, busy);
  }
}

async function withState<T>(
  written: Settings,
  log: Log,
  output: Output,
  act: (service: StoppedService) => Promise<T>,
): Promise<T> {
  const settings = await settingsNow(written, log);
  const streams = makeStreams({
    ...{ settings, clock: systemClock },
    onTrouble: (error) => output.say(`the schema registry does not answer; waiting for it: ${error.message}`),
    onRecovered: () => output.say('the schema registry answers again'),
  });
  const lists = await listsNow(settings, listBook(settings, log, systemClock));
  const { sources } = await presentRules(settings, log, ruleStreamsOf(streams), lists.known);
  const state = new ServiceState({
    ...{ settings, log, clock: systemClock },
    // For a standby, which does not run here.
    hasState: () => false,
    openObjects: async () => (await openObjectStore(settings, log))!,
    report: (text) => output.say(text),
  });
  try {
    const store = await state.open();
    return await act({ settings, log, store, streams, ruleSets: ruleSetsOf(sources, settings, streams, lists) });
  } finally {
    await state.close();
  }
}

/** Errors with a fixed code say all that a person needs; others are faults of ours and keep their stack. */
function asCommandError(error: unknown, busy: string): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: string };
  if (code === 'LOG_LOCKED' || code === 'STATE_LOCKED') {
    return new CommandError(`${message}\n${busy}`, { cause: error });
  }
  const known = error instanceof StreamsError || error instanceof NoRulesError || error instanceof RuleSetError;
  const ours = typeof code === 'string' && /^(SAVEPOINT|LOG|STATE|KAFKA|REGISTRY|OBJECTS)_/.test(code);
  return known || ours ? new CommandError(message ?? '', { cause: error }) : error;
}
