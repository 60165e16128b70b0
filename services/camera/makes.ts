import { dahua } from "./make.dahua";
import { hikvision } from "./make.hikvision";

/** What a camera sent, its own fields apart from those that every entry has. */
export interface Report {
  /** As the entry gave it; undefined where only the payload tells. */
  readonly event_type: string | undefined;
  /** RFC 3339, as the entry gave it. */
  readonly timestamp: string | undefined;
  /** Everything else that it carried, whoever knows it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a report means. */
export interface Meaning {
  readonly event_type: string;
  /** RFC 3339; undefined: the time of its arrival. */
  readonly timestamp: string | undefined;
  /** The report's data, and beside it what all makes have in common under one name: `state`, `channel`, `vendor_type`. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** How the cameras of one make report. */
export interface Make {
  /** Of the camera's model. */
  readonly models: RegExp;
  /** "alive": the camera says that it is there, and nothing else. Undefined: it does not say what happened. */
  read(report: Report): Meaning | "alive" | undefined;
}

/** The event as it was sent: for cameras behind a program that speaks our form already. */
const generic: Make = {
  models: /^/,
  read: ({ event_type, timestamp, data }) =>
    event_type === undefined ? undefined : { event_type, timestamp, data },
};

/** The first that knows the model reads its events. */
const MAKES: readonly Make[] = [hikvision, dahua, generic];

/** How a camera of this model reports. */
export function makeOf(model: string): Make {
  return MAKES.find(({ models }) => models.test(model)) ?? generic;
}
