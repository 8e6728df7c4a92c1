package com.example.wallet

import android.graphics.Bitmap
import android.graphics.Canvas
import android.view.View
import android.view.View.MeasureSpec
import android.widget.ScrollView
import java.awt.image.BufferedImage
import java.awt.image.IndexColorModel
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.abs

/** A page as it looks, from its top to its end. */
class Picture private constructor(private val width: Int, private val height: Int, private val pixels: IntArray) {
    /** With a palette, which makes it small: surfaces keep their colours, the edges of letters get one of a few. */
    fun write(file: File) {
        val surfaces = pixels.asList().groupingBy { it }.eachCount().filterValues { it >= SURFACE }.keys
        val written = IntArray(pixels.size) { if (pixels[it] in surfaces) pixels[it] else rounded(pixels[it]) }
        val palette = written.distinct()
        check(palette.size <= PALETTE) { "${palette.size} colours" }
        val index = palette.withIndex().associate { (index, color) -> color to index }
        val model = IndexColorModel(8, palette.size, palette.toIntArray(), 0, false, -1, 0)
        val image = BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED, model)
        image.raster.setSamples(0, 0, width, height, 0, IntArray(written.size) { index.getValue(written[it]) })
        file.parentFile.mkdirs()
        ImageIO.write(image, "png", file)
    }

    private fun rounded(color: Int): Int = CHANNELS.fold(0xff shl 24) { sum, shift ->
        val level = ((color shr shift and 0xff) * LEVELS + 127) / 255
        sum or (level * 255 / LEVELS shl shift)
    }

    /**
     * How many pixels look different. The same code draws everywhere, but processors round differently where it
     * smooths the edge of a letter: a difference of a few shades is none.
     */
    fun differs(other: Picture): Int {
        if (width != other.width || height != other.height) return maxOf(pixels.size, other.pixels.size)
        return pixels.indices.count { distance(pixels[it], other.pixels[it]) > SHADES }
    }

    private fun distance(one: Int, other: Int) =
        CHANNELS.maxOf { abs((one shr it and 0xff) - (other shr it and 0xff)) }

    companion object {
        private const val PALETTE = 256
        private const val SURFACE = 500
        private const val LEVELS = 15
        private val CHANNELS = 0..16 step 8
        private const val SHADES = 32

        fun read(file: File): Picture {
            val image = ImageIO.read(file)
            val (width, height) = image.width to image.height
            return Picture(width, height, image.getRGB(0, 0, width, height, null, 0, width))
        }

        /** Draws [decor] as high as the page in it is, and at least as high as it was. */
        fun of(decor: View, page: ScrollView): Picture {
            val content = page.getChildAt(0).height + page.paddingTop + page.paddingBottom
            val (width, height) = decor.width to maxOf(decor.height, content)
            decor.measure(exactly(width), exactly(height))
            decor.layout(0, 0, width, height)
            val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
            decor.draw(Canvas(bitmap))
            val pixels = IntArray(width * height)
            bitmap.getPixels(pixels, 0, width, 0, 0, width, height)
            return Picture(width, height, pixels)
        }

        private fun exactly(size: Int) = MeasureSpec.makeMeasureSpec(size, MeasureSpec.EXACTLY)
    }
}
