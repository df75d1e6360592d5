import type { Alert } from '../../runtime/ports/alert.js';

/** An alert for tests; whatever matters in a test is said there. */
export function anAlert(over: Partial<Alert> = {}): Alert {
  return {
    id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
    patternId: 'offshore-drain',
    title: 'Large payment, a withdrawal, then offshore',
    revision: '0123456789abcdef',
    severity: 'high',
    score: 80,
    key: 'acc-1',
    keyField: 'accountId',
    firstEventTime: 1_000,
    lastEventTime: 3_000,
    detectedAt: 3_000,
    message: '5000 sent offshore',
    steps: [
      {
        step: 'large',
        events: [
          {
            id: 't1',
            eventTime: 1_000,
            kind: 'Payment',
            topic: 'transactions',
            partition: 0,
            offset: 7,
            fields: { amount: 12_000 },
          },
        ],
      },
    ],
    ...over,
  };
}
