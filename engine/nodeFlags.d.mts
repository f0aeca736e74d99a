export const NODE_FLAGS: readonly string[];
export declare const nodeEnvironment: (env: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
