// A classic script, so that it runs before anything is painted. What was chosen outlives the tab; nothing else does.
(() => {
  const chosen = localStorage.getItem('imagen.theme');
  if (chosen === 'light' || chosen === 'dark') {
    document.documentElement.dataset.theme = chosen;
  }
})();
