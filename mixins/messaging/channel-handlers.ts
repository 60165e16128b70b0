import type { Service, ServiceSchema } from "moleculer";
import type { Runtime } from "../runtime";
import { channelsOf } from "./channels";

/** What a service does with the messages of each channel that it names. Every node that runs the service hears each message. */
export type ChannelHandlers = Readonly<
  Record<string, (this: Service, message: unknown, channel: string) => void | Promise<void>>
>;

/** A service that declares `channels`. */
export interface HearingService extends ServiceSchema {
  readonly channels: ChannelHandlers;
}

/**
 * A Moleculer mixin for services that declare `channels`: they hear from when they are started until they are stopped. One that
 * fails or is slow holds up nobody else; see {@link Channels} for what is promised.
 *
 * @example
 * const guard: HearingService = {
 *   name: "guard",
 *   mixins: [hearsChannels(runtime)],
 *   channels: { async "camera.updated"(message) { … } },
 * };
 */
export function hearsChannels(runtime: Pick<Runtime, "broker" | "redis">): Partial<ServiceSchema> {
  const stops = new WeakMap<Service, readonly (() => Promise<void>)[]>();
  return {
    async started(this: Service): Promise<void> {
      const { channels = {} } = this.schema as Partial<HearingService>;
      const subscribed = Object.entries(channels).map(([channel, handle]) =>
        channelsOf(runtime).subscribe(channel, (message) => handle.call(this, message, channel)),
      );
      stops.set(this, await Promise.all(subscribed));
    },
    async stopped(this: Service): Promise<void> {
      await Promise.all((stops.get(this) ?? []).map((stop) => stop()));
    },
  };
}
