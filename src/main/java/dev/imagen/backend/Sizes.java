package dev.imagen.backend;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** Which sizes a model makes. */
public sealed interface Sizes {

    /** What is wrong with a size. @param whose whose sizes these are, such as "backend mock" */
    List<Refusal> refusals(Size size, String whose);

    /** The one of them that comes closest in shape, and then in size. */
    Size nearest(Size wished);

    /** These. */
    static Sizes of(String... sizes) {
        return new Listed(Arrays.stream(sizes).map(Size::of).toList());
    }

    /** Whichever the model chooses: a job cannot ask for one. */
    record Own() implements Sizes {

        @Override
        public List<Refusal> refusals(Size size, String whose) {
            return List.of();
        }

        @Override
        public Size nearest(Size wished) {
            return wished;
        }
    }

    /** A few. */
    record Listed(List<Size> sizes) implements Sizes {

        @Override
        public List<Refusal> refusals(Size size, String whose) {
            return sizes.contains(size)
                    ? List.of()
                    : List.of(new Refusal("width", "and height are " + size + ", must be one of "
                            + sizes.stream().map(Size::toString).collect(Collectors.joining(", ")) + " for " + whose));
        }

        @Override
        public Size nearest(Size wished) {
            return sizes.stream().min(Comparator.comparingDouble((Size size) -> Math.abs(size.shape() - wished.shape()))
                    .thenComparingLong(size -> Math.abs(size.pixels() - wished.pixels()))).orElseThrow();
        }
    }

    /**
     * All within limits.
     *
     * @param minSide pixels
     * @param maxSide pixels
     * @param maxPixels width times height
     * @param multiple that each side is of
     * @param maxAspect the longer side by the shorter one
     */
    record Ranged(int minSide, int maxSide, long maxPixels, int multiple, int maxAspect) implements Sizes {

        @Override
        public List<Refusal> refusals(Size size, String whose) {
            var refusals = new ArrayList<Refusal>();
            side("width", size.width(), whose, refusals);
            side("height", size.height(), whose, refusals);
            if (refusals.isEmpty() && size.pixels() > maxPixels) {
                refusals.add(new Refusal("width", "times height must be at most " + maxPixels + " for " + whose));
            }
            if (refusals.isEmpty() && longer(size) > (long) maxAspect * shorter(size)) {
                refusals.add(new Refusal("width",
                        "and height: the longer must be at most " + maxAspect + " times the shorter for " + whose));
            }
            return refusals;
        }

        private void side(String field, int side, String whose, List<Refusal> refusals) {
            if (side < minSide || side > maxSide) {
                refusals.add(new Refusal(field, "must be from " + minSide + " to " + maxSide + " for " + whose));
            } else if (side % multiple != 0) {
                refusals.add(new Refusal(field, "must be a multiple of " + multiple + " for " + whose));
            }
        }

        @Override
        public Size nearest(Size wished) {
            double scale = Math.min(1,
                    Math.min((double) maxSide / longer(wished), Math.sqrt((double) maxPixels / wished.pixels())));
            int shorter = fitting(shorter(wished) * scale);
            int longer = fitting(Math.min(longer(wished) * scale, (double) shorter * maxAspect));
            return wished.width() < wished.height() ? new Size(shorter, longer) : new Size(longer, shorter);
        }

        private int fitting(double side) {
            return Math.max((int) side / multiple, Math.ceilDiv(minSide, multiple)) * multiple;
        }

        private static int longer(Size size) {
            return Math.max(size.width(), size.height());
        }

        private static int shorter(Size size) {
            return Math.min(size.width(), size.height());
        }
    }
}
