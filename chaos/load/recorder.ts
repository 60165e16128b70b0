import type { Answers, Asks, History, Operation, OperationName } from "../history";
import type { Answer } from "./insist";
import type { RestRequest } from "./rest-client";

/** Whoever brings a request to a node and its answer back, in the form of REST. */
export interface Asker {
  ask(request: RestRequest): Promise<Answer>;
}

/** What one client asks, written into the history. */
export class Recorder {
  constructor(
    readonly client: string,
    /** Asks by REST unless told otherwise. */
    private readonly rest: Asker,
    /** Places orders by gRPC. */
    readonly grpc: Asker,
    private readonly history: History,
    private readonly began_ms: number,
  ) {}

  /**
   * Resolves with the answer; undefined when there was none or it was a refusal. The history gets of it what `kept` says,
   * all unless said.
   */
  async do<Name extends OperationName>(
    op: Name,
    asked: Asks[Name],
    request: RestRequest & { readonly key: string },
    kept: (answer: Answers[Name], headers: Headers) => Answers[Name] = (answer) => answer,
    asker = this.rest,
  ): Promise<Answers[Name] | undefined> {
    const start_ms = this.#now();
    const { key } = request;
    const { body, headers, ...rest } = await asker.ask(request);
    const whole = rest.outcome === "acked" ? (body as Answers[Name]) : undefined;
    const answer = whole === undefined ? null : kept(whole, headers);
    const { client } = this;
    // Each name goes with its own parameters and answers, which the type of the parameters has seen to.
    const operation = { op, client, key, asked, start_ms, end_ms: this.#now(), ...rest, answer } as unknown;
    this.history.add(operation as Operation);
    return whole;
  }

  #now(): number {
    return Math.round(performance.now() - this.began_ms);
  }
}
