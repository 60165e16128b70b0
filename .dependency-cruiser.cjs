/** The arrows of the house: services → mixins → entities; rooms know each other by contract only. */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "mixins-know-no-service",
      severity: "error",
      from: { path: "^mixins/" },
      to: { path: "^(services|seed|fleet|chaos|start|boot)" },
    },
    {
      name: "entities-know-nobody",
      severity: "error",
      from: { path: "^entities/" },
      to: { path: "^(services|mixins)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "rooms-meet-by-contract",
      severity: "error",
      from: { path: "^services/([^/]+)/" },
      to: {
        path: "^services/([^/]+)/",
        pathNot: ["^services/$1/", "\\.(contract|events)\\.ts$", "^services/order/order\\.view\\.ts$"],
      },
    },
    {
      name: "deciders-are-pure",
      severity: "error",
      from: { path: "\\.decider\\.ts$" },
      to: {
        path: "node_modules|^mixins/(postgres|projection|process|rest|event-feed)",
        dependencyTypesNot: ["type-only"],
        pathNot: "luxon",
      },
    },
    {
      // What judges the product shares nothing with it: a fault in what both use would be seen by neither.
      name: "chaos-judges-with-its-own-eyes",
      severity: "error",
      from: { path: "^chaos/", pathNot: "^chaos/sabotages/" },
      to: { path: "^services/" },
    },
    {
      name: "oracles-know-only-what-is-told",
      severity: "error",
      from: { path: "^chaos/(checks|model)/" },
      to: { pathNot: ["^chaos/(checks|model|history\\.ts)", "^node:", "^crypto$", "^(fs|path)$"] },
    },
    {
      name: "product-needs-no-test",
      severity: "error",
      from: { pathNot: "^(test|bench|chaos)/" },
      to: { path: "^(test|bench|chaos)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^(dist|test|web)/" },
  },
};
