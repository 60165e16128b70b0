import js from "@eslint/js";
import tseslint from "typescript-eslint";

const BY_CONTRACT = {
  selector:
    "CallExpression[callee.property.name='call'][arguments.0.type='Literal'][arguments.0.value=/^[a-z-]+\\./]",
  message: "Call other services by their contract: act(ctx, contract, params).",
};
/** The machine's clock may be wrong, and is not the one that dates the log. */
const BY_ITS_CLOCK =
  "Ask runtime.clock for the time, which is the database's, and performance.now() for how long something took.";
const THE_MACHINES_CLOCK = [
  "CallExpression[callee.object.name='Date'][callee.property.name='now']",
  "NewExpression[callee.name='Date'][arguments.length=0]",
  "CallExpression[callee.name='Date']",
  "CallExpression[callee.name='uuidv7']",
].map((selector) => ({ selector, message: BY_ITS_CLOCK }));

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "data/", "coverage/", "reports/", ".stryker-tmp/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      // Events are discriminated unions; `type` aliases keep them structural.
      "@typescript-eslint/consistent-type-definitions": "off",
      "no-empty": ["error", { allowEmptyCatch: false }],
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": ["error", BY_CONTRACT],
    },
  },
  {
    files: ["*.ts", "services/**/*.ts", "mixins/**/*.ts", "entities/**/*.ts", "seed/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", BY_CONTRACT, ...THE_MACHINES_CLOCK] },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "no-restricted-syntax": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.js", "**/*.cjs"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        module: "writable",
        require: "readonly",
        __dirname: "readonly",
      },
    },
  },
  {
    files: ["web/**/*.js"],
    languageOptions: {
      globals: Object.fromEntries(
        "window document fetch localStorage sessionStorage location WebSocket setTimeout clearTimeout setInterval clearInterval crypto Intl navigator history URLSearchParams EventSource HTMLElement customElements requestAnimationFrame structuredClone"
          .split(" ")
          .map((name) => [name, "readonly"]),
      ),
    },
  },
);
