"""What of FFmpeg reads the files that users give: a list of what is let in.

Playlists and the like (HLS, ffconcat, SDP, DASH) are no videos but names of other files and of addresses, which FFmpeg
would open; any file may be one, whatever it is called. Magic Lantern's recordings go on in files beside them, and names
of pictures may be patterns of names.
"""

from __future__ import annotations

MOST_PIXELS = 8192 * 4320
"""Of a frame: a few hundred bytes can say that they are a picture of 16384x16384, of which each copy takes 800 MB."""

VIDEOS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,nut,mxf,gxf,dv,wtv,rm,ivf,gif,apng,yuv4mpegpipe,h261,h263,h264,"
    "hevc,vvc,obu,av1,m4v,mjpeg,mjpeg_2000,vc1,vc1test,dirac,dnxhd,cavsvideo,avs2,avs3,apv,evc,nsv,nuv,pva,ty,flic,bink,"
    "smk,roq,swf,4xm,cine,mtv,mv,rawvideo,film_cpk,filmstrip,jpegxl_anim"
)
STILLS = (
    "image2,bmp_pipe,dds_pipe,dpx_pipe,exr_pipe,gif_pipe,hdr_pipe,ico,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,pam_pipe,"
    "pbm_pipe,pcx_pipe,pgm_pipe,pgmyuv_pipe,png_pipe,ppm_pipe,psd_pipe,qoi_pipe,sgi_pipe,sunrast_pipe,tiff_pipe,webp_pipe,"
    "xbm_pipe,xpm_pipe"
)  # which are refused as what they are
SOUNDS = "mp3,wav,w64,flac,aac,ac3,eac3,dts,aiff,au,caf,amr,ape,wv,tta,srt,ass,webvtt"  # likewise

READING = {
    "format_whitelist": f"{VIDEOS},{STILLS},{SOUNDS}",
    "protocol_whitelist": "file",
    "pattern_type": "none",
    "max_pixels": str(MOST_PIXELS),
}
