/** The unit tests alone, as the mutation runner wants them. @type {import("jest").Config} */
const unit = require("./jest.config.js").projects[0];

module.exports = { ...unit, testEnvironment: "@stryker-mutator/jest-runner/jest-env/node" };
