import { Errors } from "moleculer";
import { faultOf } from "../contract/fault";
import { RefusedError, UnavailableError, refusalOf } from "../contract/refusal";

/**
 * Refusals and faults of another node arrive as what they were. A driver's error is told as the fault that it stands for: its
 * causes and system calls would not survive the way, and a database that is down there would look like a defect here.
 */
export class FleetErrors extends Errors.Regenerator {
  override extractPlainError(error: Error, payload?: Record<string, unknown>): Errors.PlainMoleculerError {
    const fault =
      refusalOf(error) === undefined && error.name !== "UnavailableError" ? driverFault(error) : undefined;
    return super.extractPlainError(fault ?? error, payload);
  }

  override restoreCustomError(plain: Errors.PlainMoleculerError, payload: Record<string, unknown>): Error {
    if (plain.name === "RefusedError") {
      const refusal = refusalOf(Object.assign(new Error(plain.message), plain));
      if (refusal !== undefined) return new RefusedError(refusal);
    }
    if (plain.name === "UnavailableError") return unavailable(plain);
    return super.restoreCustomError(plain, payload);
  }
}

/** Moleculer's own errors keep their names: they say which call went wrong, and how. */
function driverFault(error: Error): UnavailableError | undefined {
  if (error instanceof Errors.MoleculerError) return undefined;
  const fault = faultOf(error);
  return fault && new UnavailableError(fault.code, fault.detail, { retry_after_s: fault.retry_after_s });
}

function unavailable({ type, message, data }: Errors.PlainMoleculerError): UnavailableError {
  const after = (data as { retry_after_s?: unknown } | undefined)?.retry_after_s;
  return new UnavailableError(type, message, typeof after === "number" ? { retry_after_s: after } : {});
}
