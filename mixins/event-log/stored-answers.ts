import type { RecordedEvent, StoredAnswer } from "./event-log";

/** What is kept as an answer that an event of its unit carries word for word. */
export interface EventAnswer {
  readonly $event: { readonly stream_id: string; readonly version: number };
}

type ReadStream = (stream_id: string, after_version: number) => Promise<readonly RecordedEvent[]>;

/** Answers as they were given, where the log keeps the name of an event in their place. */
export function givenAnswers(
  answers: readonly StoredAnswer[],
  readStream: ReadStream,
): Promise<StoredAnswer[]> {
  return Promise.all(
    answers.map(async (stored) => {
      if (!isEventAnswer(stored.answer)) return stored;
      const { stream_id, version } = stored.answer.$event;
      const [event] = await readStream(stream_id, version - 1);
      if (event === undefined)
        throw new Error(`The log answers by ${stream_id}@${String(version)}, which it has not.`);
      return { ...stored, answer: event.data };
    }),
  );
}

function isEventAnswer(answer: unknown): answer is EventAnswer {
  return typeof answer === "object" && answer !== null && "$event" in answer;
}
