import { passwordRefusal, type PasswordOwner } from "../../../../services/auth/password-judge";

const ANNA: PasswordOwner = {
  role: "customer",
  name: "Анна Petrova",
  email: "anna.smith@example.com",
  phone: "+79231234567",
};

const judged = async (password: string, owner: PasswordOwner = ANNA): Promise<unknown> => {
  const refusal = await passwordRefusal(password, owner);
  return refusal === undefined ? "good" : refusal.data?.["reason"];
};

describe("A password that is chosen", () => {
  it.each([
    ["12345678", "common"],
    ["password", "common"],
    ["qwerty123", "common"],
    ["P@ssw0rd!", "common"],
    ["anna.smith", "personal"],
    ["AnnaSmith1", "personal"],
    ["petrova2024", "personal"],
    ["9231234567", "personal"],
    ["fornopizza", "personal"],
    ["aaaaaaaa", "repeated"],
    ["abcabcabc", "repeated"],
    ["abcdefgh", "sequence"],
    ["rtyuiop[", "keyboard"],
    ["20.12.2024", "date"],
    ["aB3xaB3x", "repeated"],
  ])("is refused when it is like %s: %s", async (password, reason) => {
    expect(await passwordRefusal(password, ANNA)).toMatchObject({
      ...{ refused: "unprocessable", code: "auth.password_weak", data: { reason } },
    });
  });

  it.each(["йцукенгш", "пароль123", "приветпривет", "пиццапицца", "анна2024"])(
    "is refused when it is weak as the same keys type it in Latin: %s",
    async (password) => {
      expect(await judged(password)).not.toBe("good");
    },
  );

  it.each(["correct horse battery", "xK9#mQ2$vL", "long enough for anybody", "три толстых кота"])(
    "will do when nobody guesses it: %s",
    async (password) => {
      expect(await judged(password)).toBe("good");
    },
  );

  it("is weak for who it speaks of, and for nobody else", async () => {
    const password = "zelenogorsk 41";
    expect(await judged(password)).toBe("good");
    expect(await judged(password, { role: "customer", name: "Zelenogorsk 41" })).toBe("personal");
  });

  it("has to be better for staff than for customers", async () => {
    const password = "Summer2024!";
    expect(await judged(password)).toBe("good");
    for (const role of ["super_admin", "manager", "technologist", "cook", "courier"] as const)
      expect(await judged(password, { role })).toBe("common");
  });

  it("is judged by how it begins: a long tail makes no good password of a bad one", async () => {
    expect(await judged(`${"a".repeat(32)}xK9#mQ2$vL`)).toBe("repeated");
  });

  it("is the same however its accents were composed", async () => {
    const composed = "été pâté naïve".normalize("NFC");
    expect(await judged(composed)).toBe(await judged(composed.normalize("NFD")));
  });
});
