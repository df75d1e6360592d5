export type TransactionType =
  | 'Other'
  | 'Deposit'
  | 'Withdrawal'
  | 'Transfer'
  | 'Payment'
  | 'Refund'
  | 'Login'
  | 'LoginFailed'
  | 'PasswordReset'
  | 'SimSwap'
  | 'DeviceAdded'
  | 'PayeeAdded'
  | 'ProfileChanged';

/** A record of `schemas/transaction.avsc`, as a plain object. What each field means stands there. */
export interface DemoTransaction {
  readonly transactionId: string;
  readonly accountId: string;
  /** Milliseconds since 1970. */
  readonly eventTime: number;
  readonly type: TransactionType;
  readonly amount: number;
  readonly currency: string;
  readonly country: string;
  readonly channel: '' | 'online' | 'atm' | 'pos' | 'branch';
  readonly status: 'approved' | 'declined';
  readonly counterparty: string | null;
  readonly merchantId: string | null;
  readonly merchantCategory: string | null;
  readonly terminalId: string | null;
  readonly cardId: string | null;
  readonly deviceId: string | null;
  readonly ip: string | null;
}

/** What happened, without whose account it was, when, and under which id. */
export type Activity = Pick<DemoTransaction, 'type'> &
  Partial<Omit<DemoTransaction, 'type' | 'transactionId' | 'accountId' | 'eventTime'>>;
