import { status } from "@grpc/grpc-js";
import {
  RefusedError,
  refuse,
  UnavailableError,
  type RefusalKind,
} from "../../../../../mixins/contract/refusal";
import { failureOf } from "../../../../../services/gateway/grpc/grpc-status";

const refused = (kind: RefusalKind, data?: Record<string, unknown>) =>
  failureOf(new RefusedError(refuse(kind, "room.reason", "No.", data)), "r1");

describe("the status of an error", () => {
  it.each([
    ["invalid", status.INVALID_ARGUMENT],
    ["unauthorized", status.UNAUTHENTICATED],
    ["forbidden", status.PERMISSION_DENIED],
    ["not_found", status.NOT_FOUND],
    ["conflict", status.FAILED_PRECONDITION],
    ["unprocessable", status.FAILED_PRECONDITION],
    ["rate_limited", status.RESOURCE_EXHAUSTED],
  ] as const)("of a refusal of kind %s", (kind, code) => {
    const { answer, kind: sort } = refused(kind);
    expect([answer.code, answer.details, sort]).toEqual([code, "No.", "refusal"]);
    expect(answer.metadata.get("forno-code")).toEqual(["room.reason"]);
    expect(answer.metadata.get("request-id")).toEqual(["r1"]);
  });

  it("of a fault is UNAVAILABLE, with the seconds to wait", () => {
    const { answer, kind } = failureOf(
      new UnavailableError("log.unavailable", "Down.", { retry_after_s: 2 }),
      "r1",
    );
    expect([answer.code, kind]).toEqual([status.UNAVAILABLE, "fault"]);
    expect(answer.metadata.get("retry-after")).toEqual(["2"]);
  });

  it("of anything else is INTERNAL, and says nothing of it", () => {
    for (const error of [new Error("secret"), "secret", null, undefined]) {
      const { answer, kind } = failureOf(error, "r1");
      expect([answer.code, kind]).toEqual([status.INTERNAL, "defect"]);
      expect(answer.details).not.toContain("secret");
    }
  });

  it("carries no details that would not fit into the trailers", () => {
    const small = refused("conflict", { next_free: ["10:00"] }).answer.metadata.get(
      "grpc-status-details-bin",
    )[0];
    const large = refused("conflict", { list: "x".repeat(10_000) }).answer.metadata.get(
      "grpc-status-details-bin",
    )[0];
    expect(small?.toString()).toContain("next_free");
    expect(large?.length).toBeLessThan(100);
  });
});
