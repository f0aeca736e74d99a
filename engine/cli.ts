console.error("weir: not assembled yet");
process.exit(70);
