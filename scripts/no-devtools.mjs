// Stands in for react-devtools-core in the bundle of the screens; nothing calls it there.
export const connectToDevTools = () => undefined;
// biome-ignore lint/style/noDefaultExport: the library that it stands in for has one
export default { connectToDevTools, initialize: () => undefined };
