import { DatabaseError } from "pg";
import { faultOf } from "../../../mixins/event-log/database-fault";

const answered = (code: string, message = "no"): DatabaseError =>
  Object.assign(new DatabaseError(message, 1, "error"), { code });

it.each(["08006", "57P01", "57014", "53300", "40001", "40P01", "55P03", "25006", "28P01"])(
  "tries again after SQLSTATE %s",
  (code) => {
    expect(faultOf(answered(code))).toBe("retry");
  },
);

it.each([
  Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("write EPIPE"), { code: "EPIPE" }),
  new Error("Connection terminated unexpectedly"),
  new Error("Client has encountered a connection error and is not queryable"),
  new Error("timeout expired"),
  new Error("Query read timeout"),
])("tries again after: %s", (error) => {
  expect(faultOf(error)).toBe("retry");
});

it("tells a missing partition, a value that cannot be stored, and a mistake of ours", () => {
  // By the server's routine: it says so in the language that it was set up in.
  const missing = Object.assign(answered("23514", "нет секции"), { routine: "ExecFindPartition" });
  expect(faultOf(missing)).toBe("partition");
  expect(faultOf(answered("23514", "violates check constraint"))).toBe("unit");
  expect(faultOf(answered("22003"))).toBe("unit");
  expect(faultOf(answered("53100"))).toBe("full");
  expect(faultOf(answered("FO001"))).toBe("lost");
  expect(faultOf(answered("42883"))).toBe("defect");
  expect(faultOf(new TypeError("x is undefined"))).toBe("defect");
  expect(faultOf(new Error("my connection of ideas"))).toBe("defect");
  expect(faultOf(undefined)).toBe("defect");
});
