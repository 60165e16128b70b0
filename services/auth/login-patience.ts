/** How failed logins become pauses: pure, so that it can be read and tested by itself. */

/** How one kind of counter answers failures: so many are free, then each doubles the pause. */
export interface Patience {
  readonly free: number;
  readonly pause_first_ms: number;
  readonly pause_max_ms: number;
  /** After so long without an attempt it starts from nothing. */
  readonly forget_ms: number;
}

/** A counter as it stands. */
export interface Counter {
  readonly failures: number;
  readonly attempted_at: Date;
  readonly paused_until: Date | null;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * What an attempt is counted by.
 *
 * - device: an account at a device that knows it; nothing else counts for such an attempt
 * - pair, place: an account from one address, from one network
 * - address, network: whatever account
 */
export type Scope = "device" | "pair" | "place" | "address" | "network";

const PATIENCE: Readonly<Record<Scope, Patience>> = {
  device: { free: 5, pause_first_ms: SECOND_MS, pause_max_ms: 15 * MINUTE_MS, forget_ms: 24 * HOUR_MS },
  pair: { free: 5, pause_first_ms: SECOND_MS, pause_max_ms: 15 * MINUTE_MS, forget_ms: 24 * HOUR_MS },
  place: { free: 10, pause_first_ms: SECOND_MS, pause_max_ms: 15 * MINUTE_MS, forget_ms: 24 * HOUR_MS },
  address: { free: 30, pause_first_ms: SECOND_MS, pause_max_ms: 15 * MINUTE_MS, forget_ms: HOUR_MS },
  network: { free: 100, pause_first_ms: SECOND_MS, pause_max_ms: 5 * MINUTE_MS, forget_ms: HOUR_MS },
};

/** Towards an account that many try at: one try at once from each address, three from each network, then half a minute and more. */
const UNDER_PRESSURE: Partial<Readonly<Record<Scope, Patience>>> = {
  pair: { ...PATIENCE.pair, free: 0, pause_first_ms: 30 * SECOND_MS, pause_max_ms: HOUR_MS },
  place: { ...PATIENCE.place, free: 2, pause_first_ms: 30 * SECOND_MS, pause_max_ms: HOUR_MS },
};

/** So many failures at one account, from wherever, are pressure. One is forgiven an hour. */
export const PRESSURE_FROM = 20;
const PRESSURE_MAX = 2 * PRESSURE_FROM;
const FORGIVEN_MS = HOUR_MS;

/** How patient a counter is, with an account under pressure or not. */
export function patienceOf(scope: Scope, pressed: boolean): Patience {
  return (pressed ? UNDER_PRESSURE[scope] : undefined) ?? PATIENCE[scope];
}

/** The counter after one more failure. */
export function afterFailure(counter: Counter, patience: Patience, now_ms: number): Counter {
  const forgotten = now_ms - counter.attempted_at.getTime() > patience.forget_ms;
  const failures = forgotten ? 1 : counter.failures + 1;
  const over = failures - patience.free;
  const pause_ms = over <= 0 ? 0 : Math.min(patience.pause_max_ms, patience.pause_first_ms * 2 ** (over - 1));
  return {
    failures,
    attempted_at: new Date(now_ms),
    paused_until: pause_ms === 0 ? null : new Date(now_ms + pause_ms),
  };
}

/** Failures at an account that are not forgiven yet. */
export function pressureNow(counter: Counter, now_ms: number): number {
  return Math.max(0, counter.failures - forgiven(counter, now_ms));
}

/**
 * An account's counter after one more failure. It stops at a bound, so that an account has peace again some hours after the guessing
 * has ended, however much it was; and it pauses nobody. Its time is the one from which the next is forgiven.
 */
export function pressureAfter(counter: Counter, now_ms: number): Counter {
  const left = pressureNow(counter, now_ms);
  const since_ms = counter.attempted_at.getTime() + forgiven(counter, now_ms) * FORGIVEN_MS;
  return {
    failures: Math.min(PRESSURE_MAX, left + 1),
    attempted_at: new Date(left === 0 ? now_ms : since_ms),
    paused_until: null,
  };
}

const forgiven = ({ attempted_at }: Counter, now_ms: number): number =>
  Math.floor((now_ms - attempted_at.getTime()) / FORGIVEN_MS);
