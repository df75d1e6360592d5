import type { GroupListener } from '../../../runtime/ports/log.js';
import type { KafkaError } from '../client/errors.js';

/** Tells the listener once when something is wrong, however many parts notice it, and once when all of it is over. */
export class Health {
  readonly #troubles = new Map<string, string>();

  constructor(private readonly listener: Pick<GroupListener, 'onTrouble' | 'onRecovered'>) {}

  trouble(part: string, error: KafkaError): void {
    const known = [...this.#troubles.values()].includes(error.code);
    this.#troubles.set(part, error.code);
    if (!known) this.listener.onTrouble(error);
  }

  fine(part: string): void {
    if (this.#troubles.delete(part) && this.#troubles.size === 0) this.listener.onRecovered();
  }
}
